"""`connector doctor`: what is fit for work, and what is not."""


def test_fit_machine_passes(connector):
    """With servers that answer, every line is ok and the status 0."""
    done = connector("doctor")

    assert done.returncode == 0, done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert "addon connector in connector" in done.stdout


def test_server_that_does_not_answer_fails(connector):
    """A server that does not answer is a line that says so, and status 1."""
    done = connector("doctor", REDIS_URL="redis://:s3cret@127.0.0.1:1/0")

    assert done.returncode == 1
    (failure,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert "127.0.0.1:1" in failure
    assert "s3cret" not in done.stdout + done.stderr


def test_locks_of_the_workers_are_summed_up(connector):
    """More workers than the cluster has locks for are told, with what to do."""
    few = connector("doctor")
    (line,) = [line for line in few.stdout.splitlines() if "locks for everybody" in line]
    assert line.startswith("ok")
    assert "2 workers with slices of 500 records take up to 1,000" in line

    many = connector("doctor", CONNECTOR_WORKERS="1000")
    assert many.returncode == 1
    (line,) = [line for line in many.stdout.splitlines() if "locks for everybody" in line]
    assert line.startswith("FAIL")
    assert "Raise max_locks_per_transaction" in line


def test_the_queues_of_named_databases_and_of_all_are_looked_at(connector, database):
    """Each database named has its own lines, one that is not there fails; `--all` finds them."""
    two = connector("doctor", "-d", database.name, "-d", "no_such_database")
    all_ = connector("doctor", "--all")

    assert f"{database.name}: Channel root: 0 wait" in two.stdout
    (failure,) = [line for line in two.stdout.splitlines() if line.startswith("FAIL")]
    assert "no_such_database" in failure
    assert (two.returncode, two.stderr) == (1, "")
    assert f"{database.name}: Channel root: 0 wait" in all_.stdout
