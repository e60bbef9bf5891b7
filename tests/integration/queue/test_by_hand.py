"""What a person does with jobs: bulk changes, channels, retention, the reasons of a wait."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connector.core import sql
from connector.core.exceptions import ValidationError
from connector.exception import ChannelSettingsError, JobDefinitionError, NoSuchJobError
from connector.queue import (
    broker,
    by_hand,
    channel_store,
    health,
    journal,
    retention,
    transitions,
)
from connector.queue.by_hand import Selection
from connector.queue.channels import ChannelSettings
from connector.queue.dispatcher import DISPATCHER_LOCK_CLASS, Dispatcher
from connector.queue.job import delay_many, job
from connector.queue.state import State
from connector.queue.why import reasons
from queue_worker import sweep

MODEL = "res.partner"


@job(default_channel="root.shop.orders")
def sample(session: Any, model_name: str, *args: Any) -> Any:
    """A sample job."""
    return args


def update(cr: Any, **values: Any) -> None:
    for name, value in values.items():
        column = sql.composed.Identifier(name)
        cr.execute(sql.composed.SQL("UPDATE queue_job SET {} = %s").format(column), (value,))


def told(cr: Any, uuid: str, redis: Any = None, configured: Any = ()) -> str:
    return "\n".join(reasons(cr, uuid, configured, redis or broker.current()))


def test_fifty_thousand_failed_jobs_go_back_with_one_statement(session):
    """
    Any number of failed jobs is put back by one statement, in seconds.
    """
    cr = session.cr
    delay_many(sample, session, MODEL, [(number,) for number in range(50_000)])
    update(cr, state="failed")
    before, begun = cr.statement_count, time.monotonic()

    changed = by_hand.requeue_selected(cr, Selection(states=[State.FAILED]))

    assert len(changed) == 50_000
    assert set(changed.values()) == {State.PENDING}
    assert cr.statement_count == before + 2  # and one notification
    assert time.monotonic() - begun < 30


def test_each_change_of_many_waiting_jobs_is_one_update(session):
    """
    Priority, eta, channel, pause and cancel of any number of jobs are one UPDATE each.
    """
    cr = session.cr
    delay_many(sample, session, MODEL, [(number,) for number in range(2000)])
    all_jobs = Selection()

    def statements(change: Any) -> int:
        before = cr.statement_count
        change()
        return cr.statement_count - before

    notified = 2  # with the wake-up of the dispatcher
    assert statements(lambda: by_hand.reschedule(cr, all_jobs, priority=3)) == notified
    assert statements(lambda: by_hand.reschedule(cr, all_jobs, eta=60)) == notified
    assert statements(lambda: by_hand.reschedule(cr, all_jobs, channel="root.x")) == notified
    cr.execute(
        "SELECT count(*), min(eta) > now() AT TIME ZONE 'UTC' FROM queue_job"
        " WHERE priority = 3 AND channel = 'root.x'"
    )
    assert cr.fetchone() == (2000, True)
    assert statements(lambda: by_hand.reschedule(cr, all_jobs, eta="now")) == notified
    channel_store.ensure(cr, "root.x")
    pause = ChannelSettings("root.x", paused=True)
    ensured = statements(lambda: channel_store.ensure(cr, "root.x"))
    assert statements(lambda: channel_store.set_channel(cr, pause)) == ensured + 1
    assert statements(lambda: by_hand.cancel_selected(cr, all_jobs, "no")) == 1
    assert channel_store.counts(cr) == {"root.x": {State.CANCELLED: 2000}}


def test_settings_that_no_row_could_keep_are_refused(session):
    """
    A priority beyond PostgreSQL's numbers, and a throttle that is no seconds, change nothing.
    """
    with pytest.raises(JobDefinitionError, match="priority=99999999999"):
        by_hand.reschedule(session.cr, Selection(), priority=99_999_999_999)
    for throttle in (-1, float("nan"), float("inf")):
        with pytest.raises(ChannelSettingsError, match="from 0 to a day"):
            channel_store.set_channel(session.cr, ChannelSettings("new", throttle=throttle))
    with pytest.raises(ValidationError, match="at most a day"), session.env.clear_upon_failure():
        session.env.ref("connector.channel_root").throttle = float("nan")
        session.env.flush()


def test_a_running_job_is_not_rescheduled_and_one_handed_over_comes_back(session):
    """
    What runs keeps its row; what is handed over but not begun waits for its new turn.
    """
    cr = session.cr
    running, handed = (sample.delay(session, MODEL, number) for number in range(2))
    cr.execute("UPDATE queue_job SET state = 'started' WHERE uuid = %s", (running,))
    cr.execute("UPDATE queue_job SET state = 'enqueued' WHERE uuid = %s", (handed,))

    assert by_hand.reschedule(cr, Selection(), priority=1) == [handed]

    cr.execute("SELECT uuid, state, priority FROM queue_job ORDER BY id")
    assert cr.fetchall() == [(running, "started", 10), (handed, "pending", 1)]


def test_jobs_that_go_back_wait_for_each_other_again(session):
    """
    A job put back with its parent waits for it again; put back alone it forgets a cancelled one.
    """
    cr = session.cr
    parent = sample.delay(session, MODEL, 1)
    child = sample.delay(session, MODEL, 2, depends_on=[parent])
    by_hand.cancel(cr, [parent], "no")

    assert by_hand.requeue(cr, [parent, child]) == {
        parent: State.PENDING,
        child: State.WAIT_DEPENDENCIES,
    }
    by_hand.cancel(cr, [parent], "no")
    assert by_hand.requeue(cr, [child]) == {child: State.PENDING}


def test_what_waits_for_a_superseded_job_waits_for_the_other_one(session):
    """
    The children of a job that gives way to another with its key wait for that one.
    """
    cr = session.cr
    old = sample.delay(session, MODEL, identity_key="k")
    child = sample.delay(session, MODEL, 2, depends_on=[old])
    cr.execute("UPDATE queue_job SET state = 'failed' WHERE uuid = %s", (old,))
    new = sample.delay(session, MODEL, identity_key="k")

    assert by_hand.requeue(cr, [old]) == {old: State.CANCELLED}
    assert [line.split()[4] for line in told(cr, child).splitlines()] == [new]

    cr.execute("UPDATE queue_job SET state = 'enqueued' WHERE uuid = %s", (new,))
    row = transitions.start(cr, new, "host:1")
    newest = sample.delay(session, MODEL, identity_key="k")
    fence = transitions.Start(row["id"], row["attempt"], row["identity_key"])
    transitions.postpone(cr, fence, seconds=1, note="later", exc_name="X")
    transitions.release_locks(cr)
    assert [line.split()[4] for line in told(cr, child).splitlines()] == [newest]
    assert by_hand.set_done(cr, Selection([newest]), "done") == [newest]
    cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (child,))
    assert cr.fetchone() == ("pending",)


def test_jobs_are_chosen_by_channel_model_and_error(session):
    """
    A selection keeps what matches all that it names; a channel means those below it too.
    """
    cr = session.cr
    mine = sample.delay(session, MODEL, 1)
    cr.execute(
        "UPDATE queue_job SET state = 'failed', exc_name = 'x.Boom', exc_message = 'disk full'"
    )
    sample.delay(session, MODEL, 2, channel="root.shoptalk")
    failed = [State.FAILED]

    for missing in (
        Selection(states=failed, channel="root.sho"),
        Selection(states=failed, model="res.users"),
        Selection(states=failed, error="disk empty"),
        Selection(["x"], failed),
    ):
        assert not by_hand.requeue_selected(cr, missing)
    right = Selection([mine], failed, "root.shop", MODEL, "Boom: disk")
    assert by_hand.requeue_selected(cr, right) == {mine: State.PENDING}


def test_a_job_set_done_releases_what_waits_for_it(session):
    """
    A failed parent that is set done lets its children start; a running job is left alone.
    """
    cr = session.cr
    parent = sample.delay(session, MODEL, 1)
    update(cr, state="failed")
    child = sample.delay(session, MODEL, 2, depends_on=[parent])

    assert by_hand.set_done(cr, Selection([parent]), "by hand") == [parent]
    cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (child,))
    assert cr.fetchone() == ("pending",)

    update(cr, state="started")
    assert by_hand.set_done(cr, Selection([child]), "by hand") == []
    assert by_hand.cancel(cr, [child], "by hand") == []


def test_a_channel_is_set_where_it_stands_or_made(session):
    """
    What is set stays beside what was set before, and makes missing channels.
    """
    channel_store.set_channel(session.cr, ChannelSettings("shop.new", capacity=2))
    channel_store.set_channel(session.cr, ChannelSettings("root.shop.new", paused=True))

    tree = channel_store.read_tree(session.cr, ())
    settings = tree.settings("root.shop.new")
    assert (settings.capacity, settings.paused) == (2, True)
    assert "root.shop" in tree


def test_a_pause_gives_back_what_waits_in_redis(database):
    """
    Jobs of a channel that is paused, or stands below one, are pending again at the next step.
    """
    with database.session(sql.READ_COMMITTED) as session:
        sample.delay(session, MODEL, 1)
        delay_many(sample, session, MODEL, [(2,), (3,)], channel="root.other")
        update(session.cr, state="enqueued")
        channel_store.ensure(session.cr, "root.shop.orders")
        channel_store.set_channel(session.cr, ChannelSettings("shop", paused=True))
    dispatcher = Dispatcher(database.name, broker.current())
    try:
        dispatcher.step()
        with database.cursor(sql.READ_COMMITTED) as cr:
            counts = channel_store.counts(cr)
    finally:
        dispatcher.close()

    assert counts["root.shop.orders"] == {State.PENDING: 1}
    assert counts["root.other"] == {State.ENQUEUED: 2}


def test_old_jobs_are_removed_as_their_channel_says(session):
    """
    A channel's days count for those below it; failed jobs stay where nothing says otherwise.
    """
    cr = session.cr
    for channel, state, days in [
        ("root.shop.orders", "done", 3),
        ("root.shop.orders", "done", 1),
        ("root.other", "done", 3),
        ("root.other", "done", 31),
        ("root.other", "failed", 400),
    ]:
        uuid = sample.delay(session, MODEL, channel=channel)
        cr.execute(
            "UPDATE queue_job SET state = %s, date_done = now() at time zone 'utc' - %s * interval"
            " '1 day' WHERE uuid = %s",
            (state, days, uuid),
        )
    channel_store.ensure(cr, "root.shop")
    cr.execute("UPDATE queue_job_channel SET keep_done_days = 2 WHERE complete_name = 'root.shop'")

    assert sum(retention.purge(cr, retention.rules(cr), list)) == 2
    assert channel_store.counts(cr) == {
        "root.shop.orders": {State.DONE: 1},
        "root.other": {State.DONE: 1, State.FAILED: 1},
    }
    limits = retention.uniform_rules(cr, [State.FAILED], 100, "root")
    assert sum(retention.purge(cr, limits, list)) == 1


def test_a_job_that_others_wait_for_is_never_removed(session):
    """
    An old failed job stays while a job waits for it.
    """
    cr = session.cr
    parent = sample.delay(session, MODEL)
    update(cr, state="failed", date_done="2020-01-01")
    sample.delay(session, MODEL, depends_on=[parent])

    limits = retention.uniform_rules(cr, [State.FAILED], 1, None)
    assert sum(retention.purge(cr, limits, list)) == 0


def test_every_reason_of_a_wait_is_told(session):
    """
    Pause, seats, failed job in a sequential channel, throttle, eta, order: each has its words.
    """
    cr = session.cr
    broker.current().redis.flushdb()  # another test's worker has beaten a moment ago
    channel_store.ensure(cr, "root.shop.orders")
    first = sample.delay(session, MODEL, 1)
    assert "No dispatcher" in told(cr, first)
    assert "No worker" in told(cr, first)
    for settings, words in [
        (ChannelSettings("root.shop", paused=True), "root.shop is paused"),
        (ChannelSettings("root.shop", sequential=True, paused=False), "and has the failed job"),
        (ChannelSettings("root", capacity=1), "root is full: 2 of 1"),
        (ChannelSettings("root.shop.orders", throttle=60), "every 60 seconds"),
    ]:
        other = sample.delay(session, MODEL, 2)
        channel_store.set_channel(cr, settings)
        cr.execute(
            "UPDATE queue_job SET state = %s, date_enqueued = now() at time zone 'utc'"
            " WHERE uuid = %s",
            ("failed" if settings.sequential else "enqueued", other),
        )
        assert words in told(cr, first)
    assert "before 20" in told(cr, sample.delay(session, MODEL, 3, eta=60))
    assert "1 jobs of its channel come before" in told(cr, sample.delay(session, MODEL, 4))
    assert "is unknown" in told(cr, sample.delay(session, MODEL, 5, channel="root.nowhere"))


def test_a_channel_without_seats_and_a_job_ahead_of_its_time_are_reasons(session):
    """
    No seats at all, and in a sequential channel an earlier job that waits for its time.
    """
    cr = session.cr
    channel_store.ensure(cr, "root.shop.orders")
    ahead = sample.delay(session, MODEL, 1, eta=600)
    behind = sample.delay(session, MODEL, 2)
    assert "sequential" not in told(cr, behind)
    channel_store.set_channel(cr, ChannelSettings("root.shop.orders", sequential=True))
    assert f"sequential, and job {ahead} before it waits until 20" in told(cr, behind)
    channel_store.set_channel(cr, ChannelSettings("root.shop", capacity=-1))
    assert "root.shop has no seats: its capacity is -1" in told(cr, behind)


def test_a_copy_and_a_channel_that_is_handed_over_to_the_full_are_reasons(session, database):
    """
    In a copy nothing runs; without a capacity the number of workers says how many go out.
    """
    cr, redis = session.cr, broker.current()
    redis.redis.flushdb()
    with redis.redis.pipeline() as pipeline:
        broker.beat(pipeline, "test")
        pipeline.execute()
    channel_store.ensure(cr, "root.shop.orders")
    delay_many(sample, session, MODEL, [(number,) for number in range(4)])
    update(cr, state="enqueued")
    waiting = sample.delay(session, MODEL)
    cr.execute("SELECT pg_advisory_xact_lock(%s, 0)", (DISPATCHER_LOCK_CLASS,))

    assert told(cr, waiting) == "4 jobs of its channel are handed over to 1 workers already."

    cr.execute("UPDATE base_database SET oid = 0")
    assert "is a copy and asleep" in told(cr, waiting)


def test_the_health_of_a_queue_is_told_line_by_line(session, database):
    """
    The report names who serves, each channel, what is stuck, and the locks; wrong lines say so.
    """
    cr, redis = session.cr, broker.current()
    redis.redis.flushdb()

    def lines(fine: bool) -> str:
        found = health.report(cr, database.name, (), redis)
        return "\n".join(line for is_fine, line in found if is_fine is fine)

    channel_store.ensure(cr, "root.shop.orders")
    assert lines(False) == ""
    assert "No dispatcher" in lines(True)  # and nobody waits for one
    uuids = delay_many(sample, session, MODEL, [(number,) for number in range(5)])
    states = ("started", "enqueued", "failed", "pending", "pending")
    for uuid, state in zip(uuids, states, strict=True):
        cr.execute(
            "UPDATE queue_job SET state = %s, date_enqueued = '2026-01-01' WHERE uuid = %s",
            (state, uuid),
        )
    assert "Channel root.shop: 2 wait, 2 handed over or running, 1 failed." in lines(True)
    channel_store.set_channel(cr, ChannelSettings("root.shop", sequential=True))
    sample.delay(session, MODEL, channel="root.nowhere")

    wrong = lines(False)
    assert "No dispatcher serves this database; start `connector worker`. (3 jobs wait)" in wrong
    assert "1 jobs were left by a worker that died" in wrong
    assert "1 jobs are handed over and lost by Redis" in wrong
    assert "stands still behind 1 failed" in wrong
    assert "root.nowhere is unknown" in wrong
    assert "advisory locks of the server are in use." in lines(True)


def test_what_does_not_wait_says_what_it_is(session):
    """
    A child names its failed parent, a failed job its error; an unknown job is an error.
    """
    cr = session.cr
    parent = sample.delay(session, MODEL, 1)
    update(cr, state="failed", exc_message="boom")
    child = sample.delay(session, MODEL, 2, depends_on=[parent])

    assert f"waits for job {parent}" in told(cr, child)
    assert "set it done" in told(cr, child)
    assert "boom" in told(cr, parent)
    assert by_hand.cancel(cr, [child], "no more") == [child]
    assert told(cr, child) == "It is cancelled: no more"
    with pytest.raises(NoSuchJobError):
        told(cr, "x")


def test_redis_that_is_away_is_a_reason(session):
    """
    Where Redis does not answer, that is what is told.
    """
    away = broker.Broker("unix:///nowhere/redis.sock")
    assert "does not answer" in told(session.cr, sample.delay(session, MODEL), away)


def test_lines_and_progress_outlive_a_rollback(database):
    """
    What a job has told is kept when its transaction is rolled back, and its row is not touched.
    """
    with database.session(sql.READ_COMMITTED) as session:
        uuid = sample.delay(session, MODEL)
        session.commit()
        cr = session.cr
        update(cr, state="enqueued")
        transitions.start(cr, uuid, "host:1")
        cr.commit()
        with session.change_context(job_uuid=uuid):
            transitions.holds_fence(cr, transitions.Start(1, 1))
            journal.log(session, "half way")
            journal.report_progress(session, 1)
            journal.report_progress(session, 5, 10)
        cr.rollback()
        assert [line[1:] for line in journal.lines(cr, uuid)] == [("info", "half way")]
        assert journal.progress(cr, uuid) == (5, 10)
        transitions.release_locks(cr)


def test_outside_a_job_only_the_log_hears(session):
    """
    Without a running job nothing is stored.
    """
    journal.log(session, "nobody")
    journal.report_progress(session, 1)
    session.cr.execute("SELECT count(*) FROM queue_job_log")
    assert session.cr.fetchone() == (0,)


def test_stuck_jobs_are_put_back_by_hand(session):
    """
    Jobs that nobody runs are put back after the minutes asked for; those in time stay.
    """
    cr, jobs = session.cr, session.env["queue.job"]
    uuids = delay_many(sample, session, MODEL, [(number,) for number in range(4)])
    for uuid, state, minutes in zip(
        uuids, ("enqueued", "enqueued", "started", "started"), (6, 4, 11, 9), strict=True
    ):
        cr.execute(
            "UPDATE queue_job SET state = %s, date_enqueued = now() AT TIME ZONE 'UTC'"
            " - %s * interval '1 minute' WHERE uuid = %s",
            (state, minutes, uuid),
        )

    def states() -> list[str]:
        cr.execute("SELECT state FROM queue_job ORDER BY id")
        return [row[0] for row in cr.fetchall()]

    assert jobs.requeue_stuck_jobs()
    assert states() == ["pending", "enqueued", "started", "started"]
    assert jobs.requeue_stuck_jobs(0, 10)
    assert states() == ["pending", "enqueued", "pending", "started"]
    with pytest.raises(ValidationError):
        jobs.requeue_stuck_jobs(0, 0)


def test_a_record_is_set_done_or_put_back_and_nothing_else(session):
    """
    `_change_job_state` knows the two changes that a person makes.
    """
    record = session.env["queue.job"].search([("uuid", "=", sample.delay(session, MODEL))])
    record._change_job_state("done", "by me")
    assert (record.state, record.result) == ("done", "by me")
    record._change_job_state("pending")
    assert record.state == "pending"
    with pytest.raises(ValueError, match="'started'"):
        record._change_job_state("started")


def test_the_sweep_cancels_what_waits_for_a_job_that_was_cancelled_meanwhile(session):
    """
    A job delayed behind one that another transaction cancels is cancelled by the sweep.
    """
    cr = session.cr
    parent = sample.delay(session, MODEL, 1)
    child = sample.delay(session, MODEL, 2, depends_on=[parent])
    cr.execute("UPDATE queue_job SET state = 'cancelled' WHERE uuid = %s", (parent,))

    cr.execute_unflushed(sweep._ORPHANED)

    assert told(cr, child) == f"It is cancelled: What it waited for is cancelled: {parent}"
