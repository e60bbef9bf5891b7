"""Jobs as rows: identity, dependencies, putting back and cancelling, without any worker."""

from __future__ import annotations

import re
import threading
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from connector.connector import ConnectorUnit
from connector.core import sql
from connector.exception import (
    JobArgumentError,
    JobDefinitionError,
    NoSuchJobError,
    NotReadableJobError,
)
from connector.queue import by_hand, transitions
from connector.queue.call import Job
from connector.queue.job import (
    OpenERPJobStorage,
    chain,
    delay_many,
    group,
    identity_exact,
    job,
)
from connector.queue.state import State
from connector.session import ConnectorSession

MODEL = "res.partner"


@job(default_channel="root.test")
def sample(session: Any, model_name: str, *args: Any, **kwargs: Any) -> Any:
    """A sample job."""
    return args, kwargs


def load(database: Any, uuid: str) -> Job:
    with database.session() as session:
        return OpenERPJobStorage(session).load(uuid)


def state_of(cr: Any, uuid: str) -> str:
    cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (uuid,))
    return str(cr.fetchone()[0])


def set_state(cr: Any, uuid: str, state: str) -> None:
    cr.execute("UPDATE queue_job SET state = %s WHERE uuid = %s", (state, uuid))


def test_a_job_keeps_its_call_and_its_options(session):
    """
    What is delayed is what is loaded: function, arguments, options, user, context.
    """
    storage = OpenERPJobStorage(session)
    with session.change_context(lang="de_DE"):
        uuid = sample.delay(session, MODEL, 7, priority=3, max_retries=0, name="x")

    job_ = storage.load(uuid)

    assert job_.func is sample
    assert (job_.args, job_.kwargs) == ((MODEL, 7), {"name": "x"})
    assert (job_.priority, job_.max_retries, job_.channel) == (3, 0, "root.test")
    assert (job_.user_id, job_.context["lang"]) == (session.uid, "de_DE")
    assert job_.description == "A sample job."
    assert job_.perform(session) == ((7,), {"name": "x"})


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        "Zürich ☃",
        [1, [2]],
        {"a": {"b": None}},
        (1, (2, "x")),
        {1: "one", "_type": "date"},
        date(2026, 11, 21),
        datetime(2026, 11, 21, 9, 0, 0, 5),
        datetime(2026, 11, 21, 9, tzinfo=timezone(timedelta(hours=1))),
        Decimal("0.10"),
        b"\x00\xff",
        1e16,
        1e300,
        5e-324,
        2**80,
    ],
)
def test_arguments_come_back_as_they_were(session, value):
    """
    Every kind of argument that is accepted comes back equal and of the same type.
    """
    loaded = OpenERPJobStorage(session).load(sample.delay(session, MODEL, value)).args[1]

    assert loaded == value
    assert type(loaded) is type(value)


def test_a_recordset_comes_back_in_the_job_s_environment(session):
    """
    A recordset is kept by model and ids.
    """
    partners = session.env[MODEL].create([{"name": "A"}, {"name": "B"}])

    loaded = OpenERPJobStorage(session).load(sample.delay(session, MODEL, partners)).args[1]

    assert loaded == partners
    assert loaded.mapped("name") == ["A", "B"]


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), ConnectorUnit, "a\0b"])
def test_other_arguments_are_refused_at_once(session, value):
    """
    An argument that cannot be kept is an error of `delay`, and leaves no job.
    """
    with pytest.raises(JobArgumentError, match=r"'args\[0\]' of .*sample"):
        sample.delay(session, MODEL, value)

    session.cr.execute("SELECT count(*) FROM queue_job")
    assert session.cr.fetchone() == (0,)


def test_the_argument_that_cannot_be_kept_is_named(session):
    """
    The message names function and parameter, or model, method and parameter.
    """

    def told(call: Any) -> str:
        with pytest.raises(JobArgumentError) as raised:
            call()
        return str(raised.value)

    partner = session.env[MODEL].create({"name": "A"})
    named = told(lambda: sample.delay(session, MODEL, 1, lines=[1, {2}]))
    assert "the argument 'lines' of" in named
    assert "at [1], because set is none" in named
    assert "'vals' of res.partner.write" in told(lambda: partner.with_delay().write({"x": {1}}))
    assert "the argument 'args[0]' of" in told(lambda: sample.delay(session, MODEL, 10**4000))
    assert "description" in told(lambda: sample.delay(session, MODEL, description="a\0b"))
    keyed = told(lambda: sample.delay(session, MODEL, x={1}, identity_key=identity_exact))
    assert "the argument 'x' of" in keyed
    draft = session.env[MODEL].new({"name": "B"})
    assert "not stored yet" in told(lambda: sample.delay(session, MODEL, draft))
    assert delay_many(sample, session, MODEL, [(1,)])  # the transaction is as good as before


@pytest.mark.parametrize(
    "options",
    [
        {"eta": "tomorrow"},
        {"eta": 1e30},
        {"priority": "high"},
        {"priority": 2**31},
        {"priority": True},
        {"max_retries": -1},
        {"channel": "shop"},
        {"channel": 7},
        {"identity_key": 7},
        {"identity_key": b"x"},
        {"depends_on": "not-a-list"},
        {"depends_on": 7},
    ],
)
def test_options_that_cannot_be_followed_are_refused(session, options):
    """
    A wrong option is an error of `delay` that names it, and changes nothing.
    """
    with pytest.raises(JobDefinitionError, match=re.escape(str(*options.values()))):
        sample.delay(session, MODEL, **options)
    session.cr.execute("SELECT count(*) FROM queue_job")
    assert session.cr.fetchone() == (0,)


def test_a_job_may_belong_to_a_user_and_a_company_of_this_very_transaction(session):
    """
    What a job refers to is sent before it, though other writes wait.
    """
    company = session.env["res.company"].create({"name": "New"})
    user = session.env["res.users"].create({"name": "New", "login": "new"})

    with session.change_user(user.id), session.change_context(company_id=company.id):
        uuid = sample.delay(session, MODEL)

    kept = OpenERPJobStorage(session).load(uuid)
    assert (kept.user_id, kept.company_id) == (user.id, company.id)


@pytest.mark.parametrize(
    ("option", "text"), [("identity_key", "é" * 501), ("channel", "root." + "é" * 250)]
)
def test_what_no_index_could_keep_is_refused(session, option, text):
    """
    A key or channel that is too long is told with the most that it may have.
    """
    with pytest.raises(JobDefinitionError, match="at most (500|250)"):
        sample.delay(session, MODEL, **{option: text})

    longest = text[:500] if option == "identity_key" else text[:250]
    assert sample.delay(session, MODEL, **{option: longest})


def test_a_row_that_cannot_be_kept_is_told_by_its_number(session):
    """
    Of many rows the first wrong one is named; a text or a number is no row of arguments.
    """
    with pytest.raises(JobArgumentError, match=r"Row 1: .*'args\[0\]'.*set is none"):
        delay_many(sample, session, MODEL, [(1,), ({1},), ({2},)])
    for row in ("ab", 7):
        with pytest.raises(JobDefinitionError, match="is no row of arguments"):
            delay_many(sample, session, MODEL, [row])
    session.cr.execute("SELECT count(*) FROM queue_job")
    assert session.cr.fetchone() == (0,)


def test_the_company_of_the_context_is_an_id_or_none(session):
    """
    What says that there is no company is none; what is no id is refused.
    """
    for nobody in (None, False, 0):
        with session.change_context(company_id=nobody):
            uuid = sample.delay(session, MODEL)
        assert OpenERPJobStorage(session).load(uuid).company_id is None
    with (
        session.change_context(company_id="x"),
        pytest.raises(JobDefinitionError, match="company_id of the context is 'x'"),
    ):
        sample.delay(session, MODEL)


def test_a_job_that_cannot_be_read_says_why(session):
    """
    A function that is gone or no job function, and broken arguments, are told by name.
    """
    storage = OpenERPJobStorage(session)
    uuid = sample.delay(session, MODEL)
    for name in ("os.system", "no.such.function"):
        session.cr.execute("UPDATE queue_job SET func_name = %s", (name,))
        with pytest.raises(NotReadableJobError, match=name):
            storage.load(uuid).func  # noqa: B018
    session.cr.execute("""UPDATE queue_job SET args = '[{"_type": "date", "value": "x"}]'""")
    with pytest.raises(NotReadableJobError, match="date"):
        storage.load(uuid)
    with pytest.raises(NoSuchJobError):
        storage.load("no-such-uuid")


def test_wrong_declarations_are_refused():
    """
    A channel beside root, and a function that a worker could not find, are errors at once.
    """
    with pytest.raises(JobDefinitionError):
        job(default_channel="shop")(sample)
    with pytest.raises(NotImplementedError):

        @job
        def hidden(session, model_name):
            """Hidden."""


def test_many_jobs_go_out_in_one_statement(session):
    """
    `delay_many` stores any number of jobs with one statement.
    """
    sample.delay(session, MODEL)  # the company of the user is known from here on
    before = session.cr.statement_count

    uuids = delay_many(sample, session, MODEL, [(number,) for number in range(500)], priority=4)

    assert session.cr.statement_count == before + 1
    assert len(set(uuids)) == 500
    assert OpenERPJobStorage(session).load(uuids[-1]).args == (MODEL, 499)


def test_a_waiting_job_with_the_key_stands_for_the_new_one(session):
    """
    While a job with an identity key waits, another delay answers its uuid; afterwards, a new one.
    """
    first = sample.delay(session, MODEL, 1, identity_key=identity_exact)
    assert sample.delay(session, MODEL, 1, identity_key=identity_exact) == first
    assert sample.delay(session, MODEL, 2, identity_key=identity_exact) != first

    set_state(session.cr, first, "started")

    assert sample.delay(session, MODEL, 1, identity_key=identity_exact) != first


@pytest.mark.parametrize("level", sql.cursor.ISOLATION_LEVELS)
def test_of_twenty_concurrent_transactions_one_makes_the_job(database, level):
    """
    Twenty transactions with one identity key leave one job, and all are told its uuid.
    """
    database.registry  # noqa: B018  # loaded before the threads ask for it
    barrier = threading.Barrier(20)
    uuids = []

    def delay() -> None:
        with database.session(level) as session:
            session.cr.execute("SELECT count(*) FROM queue_job")  # the snapshot is taken
            barrier.wait()
            uuids.append(sample.delay(session, MODEL, identity_key="one"))

    threads = [threading.Thread(target=delay) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(uuids) == 20
    assert len(set(uuids)) == 1
    with database.cursor() as cr:
        cr.execute("SELECT uuid FROM queue_job")
        assert cr.fetchall() == [(uuids[0],)]


def in_threads(*works: Any) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("level", sql.cursor.ISOLATION_LEVELS)
def test_of_twenty_concurrent_graphs_one_is_made(database, level):
    """
    Twenty transactions with one graph of keyed jobs leave each of its jobs and edges once.
    """
    registry = database.registry
    barrier = threading.Barrier(20)
    given: list[list[str]] = []

    def delay() -> None:
        met: list[bool] = []

        def work(env: Any) -> list[str]:
            session = ConnectorSession.from_env(env)
            session.cr.execute("SELECT count(*) FROM queue_job")  # the snapshot is taken
            if not met:
                met.append(True)
                barrier.wait()
            first, second, last = (
                sample.delayable(session, MODEL, number, identity_key=f"graph:{number}")
                for number in range(3)
            )
            return chain(group(first, second), last).delay()

        given.append(sorted(registry.run(work, level)))

    in_threads(*[delay] * 20)

    assert len(given) == 20
    assert all(uuids == given[0] for uuids in given)
    with database.cursor() as cr:
        cr.execute("SELECT state, count(*) FROM queue_job GROUP BY state ORDER BY state")
        assert cr.fetchall() == [("pending", 2), ("wait_dependencies", 1)]
        cr.execute("SELECT count(*) FROM queue_job_dependency")
        assert cr.fetchone() == (2,)


def test_a_graph_whose_key_was_taken_meanwhile_says_what_to_do(database):
    """
    In a transaction that nobody runs again the conflict names its reason and the way out.
    """
    with database.session(sql.REPEATABLE_READ) as session:
        session.cr.execute("SELECT count(*) FROM queue_job")  # the snapshot is taken
        with database.session() as other:
            sample.delay(other, MODEL, identity_key="taken")
        step = sample.delayable(session, MODEL, identity_key="taken")
        with pytest.raises(sql.errors.SerializationFailure) as raised:
            chain(step, sample.delayable(session, MODEL)).delay()
        session.rollback()

    assert "has taken an identity key of this graph" in raised.value.__notes__[0]


@pytest.mark.parametrize("level", sql.cursor.ISOLATION_LEVELS)
def test_keys_taken_by_several_calls_in_opposite_orders_end_one_transaction(database, level):
    """
    PostgreSQL ends one of two transactions that wait for each other's keys; run again it ends well.
    """
    registry = database.registry
    barrier = threading.Barrier(2)
    runs: list[str] = []
    given: dict[str, set[str]] = {}

    def delay(*keys: str) -> None:
        def work(env: Any) -> set[str]:
            session = ConnectorSession.from_env(env)
            first = sample.delay(session, MODEL, identity_key=keys[0])
            runs.append(keys[0])
            if runs.count(keys[0]) == 1:
                barrier.wait()
            return {first, sample.delay(session, MODEL, identity_key=keys[1])}

        given[keys[0]] = registry.run(work, level)

    in_threads(lambda: delay("a", "b"), lambda: delay("b", "a"))

    assert given["a"] == given["b"]
    assert len(runs) > 2


def test_producers_with_many_keys_in_opposite_orders_do_not_block_each_other(database):
    """
    Transactions that take the same keys in any order all end, and leave one job for each key.
    """
    database.registry  # noqa: B018  # loaded before the threads ask for it
    barrier = threading.Barrier(4)
    given: list[dict[int, str]] = []

    def delay(order: list[int]) -> None:
        with database.session(sql.READ_COMMITTED) as session:
            rows = [(number,) for number in order]
            barrier.wait()
            uuids = delay_many(sample, session, MODEL, rows, identity_key=identity_exact)
            given.append(dict(zip(order, uuids, strict=True)))

    orders = [list(range(200)), list(range(200))[::-1]] * 2
    threads = [threading.Thread(target=delay, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(given) == 4
    assert all(each == given[0] for each in given)
    with database.cursor() as cr:
        cr.execute("SELECT count(*), count(DISTINCT identity_key) FROM queue_job")
        assert cr.fetchall() == [(200, 200)]


def test_many_jobs_with_keys_take_two_statements(session):
    """
    Jobs with keys go out in one statement too; those that stand are asked for by a second one.
    """
    first = delay_many(
        sample, session, MODEL, [(n,) for n in range(9)], identity_key=identity_exact
    )
    before = session.cr.statement_count

    rows = [(n,) for n in range(20)]
    again = delay_many(sample, session, MODEL, rows, identity_key=identity_exact)

    limit = 2 if session.cr.isolation_level == sql.READ_COMMITTED else 6
    assert session.cr.statement_count - before <= limit
    assert again[:9] == first
    assert len(set(again)) == 20


def test_several_calls_cannot_share_a_key(session):
    """
    One text as identity key for several calls is an error: all but one would be lost.
    """
    with pytest.raises(JobDefinitionError, match="2 calls cannot share the identity key 'k'"):
        delay_many(sample, session, MODEL, [(1,), (2,)], identity_key="k")
    records = session.env[MODEL].create([{"name": "A"}, {"name": "B"}])
    with pytest.raises(JobDefinitionError, match="'k'"):
        records.delayable(identity_key="k").write({}).split(1)

    assert delay_many(sample, session, MODEL, [(1,)], identity_key="k")


def test_a_job_that_comes_back_behind_another_with_its_key_is_superseded(session):
    """
    A started job that would wait again while another with its key waits is cancelled instead.
    """
    cr = session.cr
    first = sample.delay(session, MODEL, identity_key="k")
    set_state(cr, first, "enqueued")
    row = transitions.start(cr, first, "host:1")
    second = sample.delay(session, MODEL, identity_key="k")

    fence = transitions.Start(row["id"], row["attempt"], row["identity_key"])
    transitions.postpone(cr, fence, seconds=1, note="later", exc_name="X")
    transitions.release_locks(cr)

    cr.execute("SELECT state, result FROM queue_job WHERE uuid = %s", (first,))
    assert cr.fetchone() == ("cancelled", f"superseded by {second}")
    assert state_of(cr, second) == "pending"


def test_a_bulk_requeue_puts_the_newest_of_a_key_back(session):
    """
    Of failed jobs with one key the newest goes back; the others are cancelled.
    """
    cr = session.cr
    uuids = []
    for _ in range(3):
        uuids.append(sample.delay(session, MODEL, identity_key="k"))
        set_state(cr, uuids[-1], "failed")
    free = sample.delay(session, MODEL)
    set_state(cr, free, "failed")

    changed = by_hand.requeue(cr, [*uuids, free])

    assert changed[uuids[-1]] == State.PENDING
    assert {changed[uuid] for uuid in uuids[:-1]} == {State.CANCELLED}
    assert changed[free] == State.PENDING


@pytest.mark.parametrize("level", sql.cursor.ISOLATION_LEVELS)
def test_a_requeue_gives_way_to_a_job_that_comes_in_that_moment(database, level):
    """
    A job with the key that is not committed yet is waited for, and then it is the one that stands.
    """
    registry = database.registry
    with database.session() as session:
        old = sample.delay(session, MODEL, identity_key="k")
        set_state(session.cr, old, "failed")
    states: list[Any] = []

    def put_back() -> None:
        states.append(registry.run(lambda env: by_hand.requeue(env.cr, [old]), level))

    with database.session() as session:
        new = sample.delay(session, MODEL, identity_key="k")
        thread = threading.Thread(target=put_back)
        thread.start()
        wait_for_a_lock(database)
    thread.join()

    assert states == [{old: State.CANCELLED}]
    assert load(database, old).result == f"superseded by {new}"


def wait_for_a_lock(database: Any) -> None:
    """Until a transaction of the database waits for another one."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cr.fetchone():
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")


def test_a_child_waits_for_all_its_parents(session):
    """
    A job that waits for two others becomes pending when the second one is done.
    """
    cr = session.cr
    parents = [sample.delay(session, MODEL, number) for number in range(2)]
    child = OpenERPJobStorage(session).store(Job(sample, model_name=MODEL), parents).uuid
    assert state_of(cr, child) == "wait_dependencies"

    for parent, expected in zip(parents, ["wait_dependencies", "pending"], strict=True):
        set_state(cr, parent, "enqueued")
        row = transitions.start(cr, parent, "host:1")
        assert transitions.finish(cr, transitions.Start(row["id"], row["attempt"]), None)
        assert state_of(cr, child) == expected
    transitions.release_locks(cr)


def test_a_job_waits_only_for_jobs_that_can_end(session):
    """
    A parent that is done does not hold a job up; an unknown or a cancelled one is an error.
    """
    cr = session.cr
    done, cancelled = (sample.delay(session, MODEL, number) for number in range(2))
    set_state(cr, done, "done")
    by_hand.cancel(cr, [cancelled], "no")

    assert state_of(cr, sample.delay(session, MODEL, 2, depends_on=[done])) == "pending"
    with pytest.raises(NoSuchJobError, match="no-such"):
        sample.delay(session, MODEL, 3, depends_on=["no-such"])
    with pytest.raises(JobDefinitionError, match="cancelled"):
        sample.delay(session, MODEL, 3, depends_on=[cancelled])
    cr.execute("SELECT count(*) FROM queue_job")
    assert cr.fetchone() == (3,)


def test_what_waits_for_a_job_waits_for_the_parts_that_it_splits_off(session):
    """
    A running job that delays a part of its work keeps its children waiting until that is done.
    """
    storage, cr = OpenERPJobStorage(session), session.cr
    whole = sample.delay(session, MODEL, 1)
    child = sample.delay(session, MODEL, 2, depends_on=[whole])
    with session.change_context(job_uuid=whole):
        part = sample.delay(session, MODEL, 3)
        storage.add_part(part)

    for parent, expected in [(whole, "wait_dependencies"), (part, "pending")]:
        set_state(cr, parent, "enqueued")
        row = transitions.start(cr, parent, "host:1")
        assert transitions.finish(cr, transitions.Start(row["id"], row["attempt"]), None)
        assert state_of(cr, child) == expected
    transitions.release_locks(cr)


def test_outside_a_job_a_part_is_a_job_like_any_other(session):
    """
    Without a running job there is nobody whose children could wait.
    """
    part = sample.delay(session, MODEL, 1)

    OpenERPJobStorage(session).add_part(part)

    session.cr.execute("SELECT count(*) FROM queue_job_dependency")
    assert session.cr.fetchone() == (0,)


def test_cancelling_a_parent_cancels_what_waits_for_it(session):
    """
    A cancelled job takes those with it that wait for it, at any distance.
    """
    storage = OpenERPJobStorage(session)
    parent = sample.delay(session, MODEL)
    child = storage.store(Job(sample, model_name=MODEL), [parent]).uuid
    grandchild = storage.store(Job(sample, model_name=MODEL), [child]).uuid

    assert set(by_hand.cancel(session.cr, [parent], "no more")) == {parent, child, grandchild}


def test_a_lost_fence_writes_nothing(session):
    """
    A start that is not the latest one changes nothing, whatever it wants to write.
    """
    cr = session.cr
    uuid = sample.delay(session, MODEL)
    set_state(cr, uuid, "enqueued")
    row = transitions.start(cr, uuid, "host:1")
    late = transitions.Start(row["id"], row["attempt"] - 1)

    assert not transitions.finish(cr, late, "x")
    assert not transitions.postpone(cr, late, seconds=1, note="x", exc_name="X")
    assert not transitions.fail(cr, late, exc_name="X", message="x", exc_info="x")
    assert not transitions.holds_fence(cr, late)
    assert state_of(cr, uuid) == "started"
    transitions.release_locks(cr)
