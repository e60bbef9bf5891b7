"""The runner in this process: fence, checkpoints, locks and commits, step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from connector.connector import pg_try_advisory_lock
from connector.core import sql
from connector.exception import NothingToDoJob, RetryableJobError
from connector.queue.job import job
from queue_worker import conclusion, runner

EFFECT = "queue.sample.effect"

#: What a test wants to happen in the middle of the job.
in_the_middle: list[Callable[[], None]] = []
in_the_end: list[Callable[[], None]] = []


@job
def leave_and_pause(session: Any, model_name: str, checkpoint: bool) -> None:
    """Leave an effect, let the test act, and leave another one."""
    session.env[model_name].create({"label": "before"})
    pg_try_advisory_lock(session.env, "sample")
    for act in in_the_middle:
        act()
    if checkpoint:
        session.commit()
    session.env[model_name].create({"label": "after"})
    for act in in_the_end:
        act()


contexts: list[Any] = []


@job
def tell_context(session: Any, model_name: str) -> None:
    """Tell what the context holds."""
    who = session.context["who"]
    contexts.append((who._name, who.ids, session.context["lang"]))


@pytest.fixture
def run(queue: Any) -> Any:
    """Run one call of the job, with something done in the middle; give its row."""

    def run_with(act: Callable[[], None] = lambda: None, *, checkpoint: bool = False) -> Any:
        in_the_middle[:] = [act]
        uuid = queue.delay(leave_and_pause, checkpoint)
        change(queue, "UPDATE queue_job SET state = 'enqueued'")
        runner.run(queue.database.name, uuid)
        return queue.job(uuid)

    return run_with


def change(queue: Any, statement: str) -> None:
    with queue.database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute(statement)


def test_a_recordset_in_the_context_is_there_again(queue):
    """
    The context is kept with its records, and the job works in it.
    """
    with queue.database.session() as session:
        users = session.env["res.users"].browse(1)
        with session.change_context(who=users, lang="de_DE"):
            uuid = tell_context.delay(session, EFFECT)
        session.cr.execute("UPDATE queue_job SET state = 'enqueued'")
    contexts.clear()

    runner.run(queue.database.name, uuid)

    assert queue.job(uuid)["state"] == "done"
    assert contexts == [("res.users", [1], "de_DE")]


def test_effect_and_done_are_one_commit(run, queue, monkeypatch):
    """
    A job takes two commits: one for its start, one for its effect together with `done`.
    """
    commits = []
    commit = sql.Cursor.commit

    def counted(cr: sql.Cursor) -> None:
        commit(cr)
        commits.append(cr)

    def before() -> None:
        assert queue.rows("SELECT state FROM queue_job") == [("started",)]
        assert queue.effects() == []
        monkeypatch.setattr(sql.Cursor, "commit", counted)

    row = run(before)
    monkeypatch.undo()

    assert len([cr for cr in commits if cr is commits[0]]) == 1
    assert row["state"] == "done"
    assert queue.effects() == ["before", "after"]


def test_a_job_that_was_taken_over_writes_nothing(run, queue):
    """
    When another start has the job by the time it ends, its effect is rolled back.
    """
    row = run(lambda: change(queue, "UPDATE queue_job SET attempt = attempt + 1"))

    assert row["state"] == "started"
    assert queue.effects() == []


def test_a_checkpoint_of_a_job_that_was_taken_over_commits_nothing(run, queue):
    """
    A checkpoint verifies the fence before it commits.
    """
    row = run(lambda: change(queue, "UPDATE queue_job SET attempt = attempt + 1"), checkpoint=True)

    assert row["state"] == "started"
    assert queue.effects() == []


def test_a_checkpoint_keeps_the_locks(run, queue):
    """
    A rival that tries the record lock after a checkpoint is refused, as it was before.
    """
    refused = []

    def try_it() -> None:
        with queue.database.cursor() as cr:
            refused.append(not sql.locks.try_transaction_lock(cr, "sample"))

    in_the_end[:] = [try_it]
    row = run(try_it, checkpoint=True)
    in_the_end.clear()

    assert row["state"] == "done"
    assert queue.effects() == ["before", "after"]
    assert refused == [True, True]


def test_a_lock_lost_at_a_checkpoint_sends_the_job_back(run, queue):
    """
    Where another transaction waits for a record lock, it gets it at the checkpoint; the job
    comes back later with its try unspent, and what was committed stays.
    """
    got_it, finish = threading.Event(), threading.Event()

    def wait_for_lock() -> None:
        with queue.database.cursor(sql.READ_COMMITTED) as cr:
            sql.locks.wait_transaction_lock(cr, "sample")
            got_it.set()
            finish.wait(10)

    rival = threading.Thread(target=wait_for_lock)

    def start_rival() -> None:
        rival.start()
        queue.wait_until(lambda: waiting_for_locks(queue) == 1)

    row = run(start_rival, checkpoint=True)
    assert got_it.wait(10)
    finish.set()
    rival.join()

    assert (row["state"], row["retry"]) == ("pending", 0)
    assert "sample" in row["result"]
    assert queue.effects() == ["before"]


def test_a_job_nobody_can_read_fails_and_says_why(run, queue):
    """
    A job whose function is gone is failed at once, with the name that was sought.
    """
    uuid = queue.delay(leave_and_pause, False)
    change(queue, "UPDATE queue_job SET state = 'enqueued', func_name = 'no.such.function'")

    runner.run(queue.database.name, uuid)

    row = queue.job(uuid)
    assert row["state"] == "failed"
    assert "no.such.function" in row["exc_message"]


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class BareRetryError(RetryableJobError):
    """An error whose class does not call the constructor of its parent."""

    def __init__(self) -> None:
        pass


@job
def misbehave(session: Any, model_name: str, how: str) -> Any:
    """End in a way that nobody has thought of."""
    ends: dict[str, BaseException] = {
        "nul": ValueError("a\0b"),
        "half": ValueError("a\ud800b"),
        "mute": MuteError(),
        "exit": SystemExit(3),
        "bare": BareRetryError(),
        "never": RetryableJobError("a\0b", seconds=float("inf")),
        "nan": RetryableJobError("x", seconds=float("nan")),
        "word": RetryableJobError("x", seconds="soon"),  # type: ignore[arg-type]
        "nothing": NothingToDoJob("a\0b"),
    }
    if how in ends:
        raise ends[how]
    return "a\0b\ud800"


def test_however_a_job_ends_its_row_says_so(queue):
    """
    Texts that PostgreSQL does not take, waits that are none, errors without a text, `sys.exit`.
    """
    expected = {
        "nul": ("failed", "a\\0b"),
        "half": ("failed", "a\\ud800b"),
        "mute": ("failed", f"An error of the class {__name__}.MuteError, which has no text."),
        "exit": ("failed", "3"),
        "bare": ("pending", ""),
        "never": ("pending", "a\\0b"),
        "nan": ("pending", "x"),
        "word": ("pending", "x"),
        "nothing": ("done", "a\\0b"),
        "result": ("done", "a\\0b\\ud800"),
    }
    uuids = {how: queue.delay(misbehave, how) for how in expected}
    change(queue, "UPDATE queue_job SET state = 'enqueued'")

    found = {}
    for how, uuid in uuids.items():
        runner.run(queue.database.name, uuid)
        row = queue.job(uuid)
        found[how] = row["state"], row["exc_message"] or row["result"] or ""

    assert found == expected


def test_a_job_whose_user_is_gone_fails_and_says_so(queue):
    """
    A job without its user does not run as another one.
    """
    uuid = queue.delay(queue.jobs.leave_effect, "nobody's")
    change(queue, "UPDATE queue_job SET state = 'enqueued', user_id = NULL")

    runner.run(queue.database.name, uuid)

    assert queue.job(uuid)["state"] == "failed"
    assert "The user that the job works for" in queue.job(uuid)["exc_message"]
    assert queue.effects() == []


def test_a_failure_that_cannot_be_told_changes_nothing(queue, monkeypatch, caplog):
    """
    Telling the followers may fail: the job is failed all the same, and the log says so.
    """

    def broken(session: Any, uuid: str) -> None:
        session.cr.execute("SELECT 1 / 0")

    monkeypatch.setattr(conclusion.failure, "tell", broken)
    uuid = queue.delay(queue.jobs.fail, "gone")
    change(queue, "UPDATE queue_job SET state = 'enqueued'")

    runner.run(queue.database.name, uuid)

    assert queue.job(uuid)["exc_message"] == "A person is needed"
    assert "Nobody is told of the failure" in caplog.text


def test_the_lock_of_the_job_is_free_afterwards(run, queue):
    """
    When the runner returns, no session lock is left on any connection.
    """
    run()

    with queue.database.cursor() as cr:
        assert sql.locks.holders(cr, 0x6A6F62) == {}


def waiting_for_locks(queue: Any) -> int:
    rows = queue.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return int(rows[0][0])


def test_a_copy_in_the_place_of_its_original_is_asleep(queue):
    """
    A database is set aside and its copy put in its place: a process that has worked on the
    original, and finds a message of before, runs nothing in the copy.
    """
    name = queue.database.name
    jobs = [queue.delay(queue.jobs.leave_effect, label) for label in ("first", "second")]
    change(queue, "UPDATE queue_job SET state = 'enqueued'")
    runner.run(name, jobs[0])
    sql.close_all(name)
    with sql.current_server().maintenance() as cr:
        cr.execute(f"ALTER DATABASE {name} RENAME TO {name}_aside")
        cr.execute(f"CREATE DATABASE {name} TEMPLATE {name}_aside")
    try:
        runner.run(name, jobs[1])
        assert queue.job(jobs[1])["state"] == "pending"
        assert queue.effects() == ["first"]
    finally:
        sql.drop_database(f"{name}_aside")
