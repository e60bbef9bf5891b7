"""Methods as jobs, and jobs that wait for one another."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import sql
from connector.exception import JobDefinitionError
from connector.queue import transitions
from connector.queue.job import (
    OpenERPJobStorage,
    batch,
    chain,
    delay_many,
    group,
    identity_exact,
    job,
    related_action,
)

MODEL = "res.partner"


@job(default_channel="root.test")
def step(session: Any, model_name: str, *args: Any) -> Any:
    """A step."""
    return args


def call(session: Any, label: str, **options: Any) -> Any:
    return step.delayable(session, MODEL, label, **options)


def states(cr: Any) -> dict[str, str]:
    """The state of each step by its label."""
    cr.execute("SELECT args->>1, state FROM queue_job")
    return dict(cr.fetchall())


def do(cr: Any, label: str) -> None:
    """Do a step as a worker does."""
    cr.execute(
        "UPDATE queue_job SET state = 'enqueued' WHERE args->>1 = %s AND state = 'pending'"
        " RETURNING uuid",
        (label,),
    )
    row = transitions.start(cr, cr.fetchone()[0], "host:1")
    assert transitions.finish(cr, transitions.Start(row["id"], row["attempt"]), None)
    transitions.release_locks(cr)


def test_a_method_of_records_becomes_a_job(session):
    """
    `with_delay` keeps records, method, arguments, options and language, and performs the call.
    """
    partners = session.env[MODEL].create([{"name": "A"}, {"name": "B"}])

    made = partners.with_context(lang="de_DE").with_delay(priority=3).write({"name": "C"})

    loaded = OpenERPJobStorage(session).load(made.uuid)
    assert (loaded.priority, loaded.model_name, loaded.context["lang"]) == (3, MODEL, "de_DE")
    assert loaded.perform(session) is True
    assert partners.mapped("name") == ["C", "C"]


def test_a_method_s_decorator_names_channel_and_retry_pattern(session, monkeypatch):
    """
    `@job` on a method gives its jobs their channel and their waits, `@related_action` its record.
    """

    class Partner:
        @related_action(lambda session, job: {"res_id": job.args[1].id})
        @job(default_channel="root.export", retry_pattern={1: 7})
        def send(self):
            """Send it."""

    records = session.env[MODEL].create({"name": "A"})
    monkeypatch.setattr(type(records), "send", Partner.send, raising=False)

    loaded = OpenERPJobStorage(session).load(records.with_delay().send().uuid)

    assert (loaded.channel, loaded.retry_pattern) == ("root.export", {1: 7})
    assert loaded.description == "Send it."
    assert loaded.func_string == f"res.partner({records.id},).send()"
    assert loaded.related_action(session) == {"res_id": records.id}


@pytest.mark.parametrize("name", ["no_such_method", "__class__", "name"])
def test_what_is_no_method_is_refused_at_once(session, name):
    """
    A name that is no method of the model leaves no job.
    """
    with pytest.raises(JobDefinitionError, match=name):
        session.env[MODEL].delayable()._call(name, (), {})

    assert states(session.cr) == {}


def test_options_are_not_mixed_with_arguments(session):
    """
    An unknown option, or an option given to the method, is an error.
    """
    with pytest.raises(TypeError, match="prio"):
        session.env[MODEL].with_delay(prio=1)
    with pytest.raises(JobDefinitionError, match="with_delay"):
        session.env[MODEL].with_delay().search([], priority=1)


def test_a_chain_is_done_step_after_step_and_a_group_fans_in(session):
    """
    In `chain(a, group(b, c), d)` b and c wait for a, and d waits for both.
    """
    a, b, c, d = (call(session, label) for label in "abcd")
    uuids = chain(a, group(b, c), d).delay()

    assert len(set(uuids)) == 4
    waiting = "wait_dependencies"
    assert states(session.cr) == {"a": "pending", "b": waiting, "c": waiting, "d": waiting}
    do(session.cr, "a")
    assert states(session.cr) == {"a": "done", "b": "pending", "c": "pending", "d": waiting}
    do(session.cr, "b")
    assert states(session.cr)["d"] == waiting
    do(session.cr, "c")
    assert states(session.cr)["d"] == "pending"


def test_one_follower_may_wait_for_several_steps(session):
    """
    A step that follows two others is stored once, and waits for both.
    """
    a, b, c = (call(session, label) for label in "abc")
    last = call(session, "last")

    uuids = group(a.on_done(last), chain(b, c).on_done(last)).delay()

    assert len(uuids) == 4
    session.cr.execute("SELECT count(*) FROM queue_job_dependency")
    assert session.cr.fetchone() == (3,)


def test_steps_in_a_circle_are_refused(session):
    """
    Steps that wait for each other are an error, and store nothing.
    """
    a, b = call(session, "a"), call(session, "b")
    with pytest.raises(JobDefinitionError, match="circle"):
        a.on_done(b.on_done(a)).delay()
    with pytest.raises(JobDefinitionError, match="at least one"):
        chain()

    assert states(session.cr) == {}


def test_records_are_split_into_jobs(session):
    """
    A call for five records, split by two, is three jobs that a follower waits for.
    """
    partners = session.env[MODEL].create([{"name": str(number)} for number in range(5)])
    step_ = partners.delayable(priority=2).write({"active": False}).on_done(call(session, "last"))

    uuids = step_.split(2).delay()

    storage = OpenERPJobStorage(session)
    loaded = [storage.load(uuid) for uuid in uuids[:3]]
    assert [each.args[1] for each in loaded] == [partners[:2], partners[2:4], partners[4:]]
    assert {each.priority for each in loaded} == {2}
    assert storage.load(uuids[3]).state == "wait_dependencies"
    with pytest.raises(JobDefinitionError):
        call(session, "a").split(2)
    with pytest.raises(JobDefinitionError, match="one record or more"):
        partners.delayable().write({}).split(2.5)
    with pytest.raises(JobDefinitionError, match="nothing to split"):
        partners[:0].delayable().write({}).split(2)


@pytest.mark.parametrize("wrong", [step, 1, "uuid"])
def test_what_is_no_step_is_refused(session, wrong):
    """
    A chain, a group and a follower are made of steps; the error says how one is made.
    """
    for describe in (chain, group, call(session, "a").on_done):
        with pytest.raises(JobDefinitionError, match=r"is no step.*delayable"):
            describe(wrong)


def test_arguments_may_have_any_name_that_is_no_option(session):
    """
    Names of parameters that lead to the job never take away an argument of it.
    """
    names = {"func": 1, "args": 2, "kwargs": 3, "records": 4, "method": 5}
    storage = OpenERPJobStorage(session)
    users = session.env["res.users"].browse(1)

    assert storage.load(step.delay(session, MODEL, **names)).kwargs == names
    assert storage.load(step.delayable(session, MODEL, **names).delay()[0]).kwargs == names
    job_ = users.with_delay().with_context(session=7, model_name="x", **names)
    assert job_.perform(session).env.context["records"] == 4


def test_a_batch_calls_back_when_all_its_jobs_are_done(session):
    """
    The callback waits for all that is delayed in the block, singly, in bulk or with a key.
    """
    standing = step.delay(session, MODEL, "d", identity_key=identity_exact)
    with batch(session, call(session, "back")) as uuids:
        step.delay(session, MODEL, "a")
        delay_many(step, session, MODEL, [("b",), ("c",)])
        step.delay(session, MODEL, "d", identity_key=identity_exact)
    step.delay(session, MODEL, "outside")

    assert len(uuids) == 4
    assert standing in uuids
    for label in "abcd":
        assert states(session.cr)["back"] == "wait_dependencies"
        do(session.cr, label)
    assert states(session.cr)["back"] == "pending"


def test_a_batch_without_jobs_has_no_callback(session):
    """
    A block that delays nothing, or raises, stores no callback.
    """
    with batch(session, call(session, "back")):
        pass
    with pytest.raises(ZeroDivisionError), batch(session, call(session, "back")):
        1 / 0  # noqa: B018

    assert states(session.cr) == {}


def test_a_method_runs_in_a_worker_s_transaction(database):
    """
    The job of a method is found by another transaction after the commit, and changes the records.
    """
    with database.session(sql.READ_COMMITTED) as session:
        partner = session.env[MODEL].create({"name": "A"})
        uuid = partner.with_delay().write({"name": "B"}).uuid
        identifier = partner.id
    with database.session(sql.READ_COMMITTED) as session:
        OpenERPJobStorage(session).load(uuid).perform(session)
    with database.session(sql.READ_COMMITTED) as session:
        assert session.env[MODEL].browse(identifier).name == "B"
