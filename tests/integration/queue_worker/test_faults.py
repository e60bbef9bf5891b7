"""Kills of workers, dispatchers and servers, and what else needs servers of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from connector.core import modules, sql
from connector.core.exceptions import DatabaseUnreachableError
from connector.core.registry import Registry
from connector.embedded import Services
from connector.queue import broker
from connector.session import ConnectorSessionHandler
from connector.testing import templates

ADDONS = ("queue_worker", "queue_sample")

#: Promise 2: another worker starts the job of a dead one within this time.
RECOVERY_SECONDS = 15


@pytest.fixture(scope="module")
def servers(servers: Any, own_servers: Services) -> Iterator[Services]:
    """Servers that may be killed."""
    sql.use_server(own_servers.database_url)
    broker.use_redis(own_servers.redis_url)
    yield own_servers
    sql.close_all()
    sql.use_server(servers.database_url)
    broker.use_redis(servers.redis_url)


def process_of(job: dict[str, Any]) -> int:
    return int(job["worker"].partition(":")[2])


@pytest.mark.parametrize(("name", "seconds"), [("leave_effect_slowly", 3), ("hang_at_first", 120)])
def test_the_job_of_a_killed_worker_is_taken_up(queue, name, seconds):
    """
    A worker is killed in the middle of a job, in Python or inside a statement that would go on
    for minutes; another one starts it soon, and one effect is left.
    """
    uuid = queue.delay(getattr(queue.jobs, name), "once", seconds)

    with queue.workers(2):
        first = queue.wait_for_state(uuid, "started")
        time.sleep(0.5)
        os.kill(process_of(first), signal.SIGKILL)
        queue.wait_until(lambda: queue.job(uuid)["attempt"] == 2, RECOVERY_SECONDS)
        job = queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["once"]
    assert (job["retry"], job["attempt"]) == (2, 2)
    assert process_of(job) != process_of(first)


def test_a_job_that_kills_its_worker_comes_to_an_end(queue):
    """
    A job that kills every worker is failed when its tries are used up, and leaves nothing.
    """
    uuid = queue.delay(queue.jobs.die, "never", max_retries=2)

    with queue.workers():
        job = queue.wait_for_state(uuid, "failed", seconds=40)
        queue.wait_until(lambda: queue.rows("SELECT id FROM connector_message"))

    assert job["exc_name"] == "JobFoundDead"
    assert job["attempt"] == 2
    assert queue.effects() == []


def test_flushed_messages_are_sent_again(queue):
    """
    Redis forgets everything while jobs wait in it and one runs; each of them runs once.
    """
    labels = [str(number) for number in range(12)]
    for label in labels:
        queue.delay(queue.jobs.leave_effect_slowly, label, 0.3)

    with queue.workers():
        queue.wait_until(lambda: len(queue.effects()) > 1)
        broker.current().redis.flushall()
        queue.wait_until(lambda: len(queue.effects()) == len(labels))
        queue.wait_until(lambda: states(queue) == {"done"})

    assert sorted(queue.effects(), key=int) == labels


def test_redis_may_be_killed_and_restarted(queue, servers):
    """
    Redis is killed while jobs run and started again later; every job runs once.
    """
    labels = [str(number) for number in range(12)]
    for label in labels:
        queue.delay(queue.jobs.leave_effect_slowly, label, 0.3)

    with queue.workers(2):
        queue.wait_until(lambda: len(queue.effects()) > 1)
        os.kill(servers.pids()["redis"], signal.SIGKILL)
        time.sleep(2)
        servers.ensure_redis()
        queue.wait_until(lambda: states(queue) == {"done"})

    assert sorted(queue.effects(), key=int) == labels


def test_a_job_committed_while_redis_is_down_runs_later(queue, servers):
    """
    A delay succeeds without Redis; the job runs when Redis is back.
    """
    with queue.workers():
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        os.kill(servers.pids()["redis"], signal.SIGKILL)
        uuid = queue.delay(queue.jobs.leave_effect, "later")
        with pytest.raises(broker.BrokerDownError):
            broker.current().ping()
        time.sleep(3)
        assert queue.job(uuid)["state"] == "pending"

        servers.ensure_redis()
        queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["before", "later"]


@pytest.mark.parametrize(
    ("fault", "heal"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
)
def test_a_redis_that_takes_nothing_loses_nothing(queue, fault, heal):
    """
    While Redis is full, or a replica after a failover, running jobs end and others wait; when it
    takes writes again, each of them runs once.
    """
    redis = broker.current().redis
    labels = [str(number) for number in range(6)]
    with queue.workers(2, channels="root:2"):
        first = [queue.delay(queue.jobs.leave_effect_slowly, label, 1) for label in labels[:4]]
        queue.wait_for_state(first[0], "started")
        redis.execute_command(*fault.split())
        try:
            queue.wait_for_state(first[0], "done")
            later = [queue.delay(queue.jobs.leave_effect, label) for label in labels[4:]]
            time.sleep(2)
            assert not {queue.job(uuid)["state"] for uuid in later} & {"started", "done", "failed"}
        finally:
            redis.execute_command(*heal.split())
        queue.wait_until(lambda: states(queue) == {"done"}, RECOVERY_SECONDS)

    assert sorted(queue.effects()) == labels
    assert queue.rows("SELECT DISTINCT attempt FROM queue_job") == [(1,)]


def test_a_server_without_a_free_connection_delays_jobs_only(queue, servers):
    """
    While others hold all connections of PostgreSQL a child cannot open its own: its job waits,
    unspent, and runs when there is one.
    """
    with queue.workers(options=("--fork",)), ExitStack() as stack:
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        uuid = queue.delay(queue.jobs.leave_effect, "later", eta=3600)
        with queue.database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute(
                "UPDATE queue_job SET state = 'enqueued', eta = NULL,"
                " date_enqueued = now() AT TIME ZONE 'UTC' WHERE uuid = %s",
                (uuid,),
            )
        with pytest.raises(DatabaseUnreachableError):
            for _ in range(200):
                connection = sql.current_server().open_raw(queue.database.name)
                stack.callback(connection.close)
        broker.current().push(queue.database.name, [uuid])
        queue.wait_until(lambda: "too many clients" in queue.log.read_text())
        stack.close()
        queue.wait_for_state(uuid, "done", seconds=RECOVERY_SECONDS)

    assert (queue.job(uuid)["attempt"], queue.job(uuid)["retry"]) == (1, 1)
    assert queue.effects() == ["before", "later"]


def test_a_lost_connection_is_left_to_the_sweep(queue):
    """
    The backend of a running job is terminated; its worker writes nothing, the job runs again.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "once", 2)

    with queue.workers():
        queue.wait_for_state(uuid, "started")
        time.sleep(0.5)
        ended = queue.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = %s",
            0x6A6F62,
        )
        assert ended == [(True,)]
        job = queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["once"]
    assert (job["retry"], job["attempt"]) == (2, 2)


def test_postgresql_may_be_killed_and_restarted(queue, servers):
    """
    PostgreSQL is killed while jobs run and recovers; every job runs once, and workers that are to
    stop when none is left stop then.
    """
    labels = [str(number) for number in range(10)]
    for label in labels:
        queue.delay(queue.jobs.leave_effect_slowly, label, 0.3)

    with queue.workers(2, options=("--stop-when-idle",)) as supervisor:
        queue.wait_until(lambda: len(queue.effects()) > 1)
        os.kill(servers.pids()["postgres"], signal.SIGKILL)
        sql.close_all()
        time.sleep(1)
        servers.ensure_postgres()
        queue.wait_until(lambda: states(queue) == {"done"}, seconds=60)
        assert supervisor.wait(30) == 0

    assert sorted(queue.effects(), key=int) == labels


def test_a_standby_takes_over_from_a_killed_dispatcher(queue):
    """
    Two supervisors serve one database; the one whose dispatcher is elected is killed with it, and
    the dispatcher of the other one, which stood by, hands the next job over.
    """
    with queue.workers() as one, queue.workers() as other:
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        queue.wait_until(lambda: len(children_of(one.pid)) == len(children_of(other.pid)) == 2)
        (elected,) = dispatchers(queue)
        dying = one if elected in children_of(one.pid) else other
        standing_by = children_of((other if dying is one else one).pid)
        for pid in (dying.pid, elected):
            os.kill(pid, signal.SIGKILL)
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "after"), "done", seconds=10)

    assert dispatchers(queue)[1] in standing_by
    assert queue.effects() == ["before", "after"]


def test_an_orphaned_child_ends(queue):
    """
    The supervisor is killed; its workers and its dispatcher end by themselves.
    """
    with queue.workers() as supervisor:
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        children = children_of(supervisor.pid)
        assert len(children) == 2
        supervisor.kill()
        queue.wait_until(lambda: not any(map(is_running, children)), seconds=10)


def test_databases_are_served_as_they_come_and_go(queue):
    """
    Without a name, workers serve a database that gets its table of jobs later, forget one that is
    dropped, and serve another one that is made under its name.
    """
    name = f"{queue.database.name}_late"
    with queue.workers(database=""):
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "first"), "done")
        for seconds in (3.5, 0):
            sql.create_database(name)
            try:
                modules.initialise(name)
                time.sleep(seconds)  # seen without a table of jobs
                modules.install(name, list(ADDONS))
                uuid = delay_in(name, queue.jobs.leave_effect)
                queue.wait_until(lambda uuid=uuid: state_in(name, uuid) == "done")
            finally:
                sql.close_all(name)
                sql.drop_database(name)
                Registry.delete(name)
        queue.wait_until(lambda: f"Database {name!r} is gone" in queue.log.read_text())
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "last"), "done")

    assert queue.effects() == ["first", "last"]


def test_a_renamed_database_is_served_under_its_new_name(queue):
    """
    Without a name, workers follow a database that is renamed while its jobs wait and run.
    """
    old = templates.copy_of_template(ADDONS)
    new = f"{old}_new"
    try:
        with queue.workers(database=""):
            uuids = [delay_in(old, queue.jobs.leave_effect_slowly, 0.5) for _ in range(8)]
            queue.wait_until(lambda: state_in(old, uuids[1]) == "done")
            Registry.delete(old)
            rename(old, new)
            queue.wait_until(lambda: {state_in(new, uuid) for uuid in uuids} == {"done"})
            late = delay_in(new, queue.jobs.leave_effect)
            queue.wait_until(lambda: state_in(new, late) == "done")
            queue.wait_until(lambda: f"Database {old!r} is gone" in queue.log.read_text())
        with sql.connect(new).cursor(sql.READ_COMMITTED) as cr:
            cr.execute("SELECT count(*) FROM queue_sample_effect")
            assert cr.fetchone()[0] == len(uuids) + 1
    finally:
        for name in (old, new):
            sql.close_all(name)
            sql.drop_database(name)
            Registry.delete(name)


def rename(old: str, new: str) -> None:
    """As an administrator does it: end the sessions, and be quicker than those who come back."""
    sql.close_all(old)
    with sql.current_server().maintenance() as cr:
        for _ in range(50):
            cr.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [old]
            )
            with suppress(sql.errors.ObjectInUse):
                cr.execute(f'ALTER DATABASE "{old}" RENAME TO "{new}"')
                return
    pytest.fail(f"{old} cannot be renamed.")


def test_a_child_has_no_part_in_the_locks_of_its_worker(queue, servers):
    """
    A worker that uses the embedded servers holds their lock; the child of a job does not.
    """
    for name in ("DATABASE_URL", "REDIS_URL"):
        del queue.environment[name]
    queue.environment["CONNECTOR_DATA_DIR"] = str(servers.home)
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "one", 2)

    with queue.workers(options=("--fork",)) as supervisor:
        child = process_of(queue.wait_for_state(uuid, "started"))
        assert open_locks(supervisor.pid) == {"users.lock"}
        assert open_locks(child) == set()
        queue.wait_for_state(uuid, "done")


def test_a_job_costs_few_round_trips(queue):
    """
    A job takes at most 6 commands of Redis that are waited for, and 2 commits.
    """
    redis = broker.current().redis
    with queue.workers(1, channels="root:1"):
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "warm"), "done")
        before = redis.info("commandstats")
        for number in range(20):
            queue.delay(queue.jobs.leave_effect, str(number))
        queue.wait_until(lambda: len(queue.effects()) == 21)
        after = redis.info("commandstats")

    def calls(*names: str) -> float:
        """Commands that are waited for; those inside a script cost no round trip."""
        return sum(count(after, name) - count(before, name) for name in names) / 20

    assert calls("evalsha", "blmove", "eval", "exec") <= 6
    assert calls("blmove") + (calls("evalsha") - calls("publish")) <= 3
    assert calls("xadd", "zadd", "persist", "watch") < 1


def delay_in(database: str, func: Any, *args: Any) -> str:
    with ConnectorSessionHandler(database, 1).session() as session:
        uuid: str = func.delay(session, "queue.sample.effect", "late", *args)
        return uuid


def state_in(database: str, uuid: str) -> str:
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (uuid,))
        return str(cr.fetchone()[0])


def states(queue: Any) -> set[str]:
    return {row[0] for row in queue.rows("SELECT DISTINCT state FROM queue_job")}


def dispatchers(queue: Any) -> list[int]:
    """The processes of the elected dispatchers, by what the workers' log says."""
    lines = queue.log.read_text().splitlines()
    elected = [line.split()[2] for line in lines if "Dispatcher elected" in line]
    return [int(pid) for pid in elected]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_locks(pid: int) -> set[str]:
    """The lock files that a process has open."""
    files = (os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())
    return {Path(file).name for file in files if file.endswith(".lock")}


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def count(stats: Any, name: str) -> int:
    return int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"])
