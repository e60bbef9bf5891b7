"""Jobs that a test runs at once, or holds fast."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connector.exception import JobArgumentError, JobDefinitionError, NotReadableJobError
from connector.queue.job import batch, chain, delay_many, group, identity_exact, job
from connector.session import ConnectorSession
from connector.testing import mock_job_delay_to_direct, trap_jobs

PATH = f"{__name__}.rename"
done: list[Any] = []


@job(default_channel="root.renaming")
def rename(session: ConnectorSession, model_name: str, record_id: int, name: str = "new") -> str:
    """Give a partner another name."""
    session.env[model_name].browse(record_id).write({"name": name})
    done.append((record_id, name, session.uid, dict(session.context)))
    return name


@job
def rename_two(session: ConnectorSession, model_name: str, *ids: int) -> None:
    """Delay two more jobs."""
    for record_id in ids:
        rename.delay(session, model_name, record_id)


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


@pytest.fixture
def partner(session: ConnectorSession) -> Any:
    return session.env["res.partner"].create({"name": "old"})


def stored(session: ConnectorSession) -> int:
    session.cr.execute("SELECT count(*) FROM queue_job")
    (count,) = session.cr.fetchone()
    return int(count)


def test_a_mocked_delay_calls_the_function(session: ConnectorSession, partner: Any) -> None:
    """In the block `delay` runs the function, without the job's options, and stores nothing."""
    with mock_job_delay_to_direct(PATH) as patched:
        uuid = rename.delay(session, "res.partner", partner.id, name="direct", priority=3, eta=60)

        assert partner.name == "direct"
        assert isinstance(uuid, str)
        patched.delay.assert_called_once()
    assert stored(session) == 0
    rename.delay(session, "res.partner", partner.id, name="later")
    assert (partner.name, stored(session)) == ("direct", 1)


def test_a_mocked_delay_ends_with_an_error(session: ConnectorSession) -> None:
    """An error of the function comes out of `delay`, and `delay` is itself again."""
    before = rename.delay

    with pytest.raises(TypeError), mock_job_delay_to_direct(PATH):
        rename.delay(session, "res.partner")

    assert rename.delay is before


@pytest.mark.parametrize("path", ["no.such.module", f"{__name__}.stored", f"{__name__}.absent"])
def test_only_a_job_function_is_mocked(path: str) -> None:
    """A path that leads to no job function is refused with what is wrong with it."""
    with pytest.raises(NotReadableJobError, match=path), mock_job_delay_to_direct(path):
        pass


def test_every_way_to_delay_is_trapped(session: ConnectorSession, partner: Any) -> None:
    """Functions, methods, chains, groups and many at once: all are held, and none is stored."""
    with trap_jobs() as trap:
        rename.delay(session, "res.partner", partner.id)
        partner.with_delay().write({"name": "by method"})
        chain(
            rename.delayable(session, "res.partner", partner.id, "first"),
            group(
                rename.delayable(session, "res.partner", partner.id, "second"),
                partner.delayable().write({"name": "third"}),
            ),
        ).delay()
        delay_many(rename, session, "res.partner", [(partner.id, "a"), (partner.id, "b")])

    trap.assert_jobs_count(7)
    trap.assert_jobs_count(5, only=rename)
    trap.assert_jobs_count(2, only=partner.write)
    trap.assert_enqueued_job(rename, args=("res.partner", partner.id, "b"))
    trap.assert_enqueued_job(partner.write, args=({"name": "by method"},))
    assert stored(session) == 0
    assert partner.name == "old"


def test_outside_the_trap_jobs_are_stored(session: ConnectorSession, partner: Any) -> None:
    """A trap holds nothing once its block has ended."""
    with trap_jobs() as trap:
        pass

    rename.delay(session, "res.partner", partner.id)

    trap.assert_jobs_count(0)
    assert stored(session) == 1


def test_trapped_jobs_are_performed_as_a_worker_does(
    session: ConnectorSession, partner: Any
) -> None:
    """A job runs as its user, in its context, with its uuid; its result is given."""
    with trap_jobs() as trap, session.change_context(lang="en_US"):
        rename.delay(session, "res.partner", partner.id, name="performed")
        [trapped] = trap.enqueued_jobs

        assert trap.perform_enqueued_jobs() == ["performed"]

    trap.assert_jobs_count(0)
    [(_, _, uid, context)] = done
    assert (partner.name, uid) == ("performed", session.uid)
    assert (context["lang"], context["job_uuid"]) == ("en_US", trapped.job.uuid)


def test_children_are_performed_after_their_parents(
    session: ConnectorSession, partner: Any
) -> None:
    """Whatever the order of the delays, a chain is performed in its own order."""

    def step(name: str) -> Any:
        return rename.delayable(session, "res.partner", partner.id, name)

    with trap_jobs() as trap:
        chain(step("1"), group(step("2"), step("2")), step("3")).delay()
        trap.enqueued_jobs.reverse()
        assert trap.perform_enqueued_jobs() == ["1", "2", "2", "3"]


def test_what_performed_jobs_delay_waits_or_follows(
    session: ConnectorSession, partner: Any
) -> None:
    """Jobs of jobs stay in the trap, and are performed too with `follow`."""
    with trap_jobs() as trap:
        rename_two.delay(session, "res.partner", partner.id, partner.id)
        trap.perform_enqueued_jobs()
        trap.assert_jobs_count(2, only=rename)

        rename_two.delay(session, "res.partner", partner.id)
        trap.perform_enqueued_jobs(follow=True)

    trap.assert_jobs_count(0)
    assert len(done) == 3


def test_only_some_jobs_are_performed(session: ConnectorSession, partner: Any) -> None:
    """With `only` the others stay, and so does a child whose parent stays."""
    with trap_jobs() as trap:
        rename.delay(session, "res.partner", partner.id)
        chain(
            rename_two.delayable(session, "res.partner"),
            rename.delayable(session, "res.partner", partner.id),
        ).delay()

        assert trap.perform_enqueued_jobs(only=rename) == ["new"]

    trap.assert_jobs_count(1, only=rename)
    trap.assert_jobs_count(1, only=rename_two)


def test_a_failing_job_tells_and_stays(session: ConnectorSession) -> None:
    """The error of a job comes out, and the job waits as before."""
    with trap_jobs() as trap:
        rename.delay(session, "no.such.model", 1)
        with pytest.raises(Exception, match=r"no\.such\.model"):
            trap.perform_enqueued_jobs()

    trap.assert_jobs_count(1)


def test_the_same_identity_is_trapped_once(session: ConnectorSession, partner: Any) -> None:
    """A second job with the identity key of a waiting one is that one, until it is performed."""
    with trap_jobs() as trap:
        uuids = {
            rename.delay(session, "res.partner", partner.id, identity_key=identity_exact)
            for _ in range(2)
        }
        assert len(uuids) == 1
        trap.assert_jobs_count(1)
        trap.perform_enqueued_jobs()
        rename.delay(session, "res.partner", partner.id, identity_key=identity_exact)
        trap.assert_jobs_count(1)


def test_a_batch_waits_for_trapped_jobs(session: ConnectorSession, partner: Any) -> None:
    """The callback of a batch is trapped, behind the jobs of its block."""
    with trap_jobs() as trap:
        with batch(session, rename.delayable(session, "res.partner", partner.id, "last")):
            rename.delay(session, "res.partner", partner.id, name="first")
        trap.enqueued_jobs.reverse()
        assert trap.perform_enqueued_jobs() == ["first", "last"]


def test_arguments_are_refused_as_by_the_database(session: ConnectorSession) -> None:
    """What no job can keep, the trap does not take either."""
    with trap_jobs() as trap, pytest.raises(JobArgumentError):
        rename.delay(session, "res.partner", object())

    trap.assert_jobs_count(0)


def test_options_of_a_job_are_asserted(session: ConnectorSession, partner: Any) -> None:
    """`properties` compares the options of `delay`, a span of time to the second."""
    with trap_jobs() as trap:
        options = {"priority": 3, "eta": 60, "channel": "root.slow", "description": "Slowly"}
        parent = rename.delay(session, "res.partner", partner.id, **options)
        rename.delay(session, "res.partner", partner.id, depends_on=[parent])

    args = ("res.partner", partner.id)
    trap.assert_enqueued_job(rename, args=args, properties=options)
    trap.assert_enqueued_job(rename, args=args, properties={"eta": timedelta(minutes=1)})
    trap.assert_enqueued_job(rename, args=args, properties={"depends_on": [parent]})
    for wrong in [{"priority": 4}, {"eta": 90}, {"channel": "root"}, {"depends_on": ["x"]}]:
        with pytest.raises(AssertionError, match="enqueued are"):
            trap.assert_enqueued_job(rename, args=args, properties=wrong)
    with pytest.raises(JobDefinitionError, match="no property 'prio'"):
        trap.assert_enqueued_job(rename, args=args, properties={"prio": 3})


def test_assertions_tell_what_is_there(session: ConnectorSession, partner: Any) -> None:
    """A failing assertion lists the calls that wait."""
    other = session.env["res.partner"].create({"name": "other"})
    with trap_jobs() as trap:
        rename.delay(session, "res.partner", partner.id, name="x")
        partner.with_delay().write({"name": "y"})

    with pytest.raises(AssertionError, match="(?s)2 jobs are enqueued where 1 .*rename.*'x'"):
        trap.assert_jobs_count(1)
    for func, args, kwargs in [
        (rename, ("res.partner", partner.id), {}),
        (rename, ("res.partner", partner.id), {"name": "z"}),
        (rename_two, ("res.partner", partner.id), {"name": "x"}),
        (other.write, ({"name": "y"},), {}),
        (partner.unlink, (), {}),
    ]:
        with pytest.raises(AssertionError, match="No job .* is enqueued"):
            trap.assert_enqueued_job(func, args=args, kwargs=kwargs)
