"""Periodic jobs: occurrences become jobs, each once; what was missed is caught up and told."""

from __future__ import annotations

import threading
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from connector.core import fields, sql
from connector.exception import FailedJobError, NothingToDoJob
from connector.queue import broker, cron
from connector.queue.dispatcher import Dispatcher
from connector.queue.job import OpenERPJobStorage


@pytest.fixture
def make(session):
    """Make the only cron of the database, due for some minutes."""
    session.env["ir.cron"].search([]).unlink()

    def make(minutes: float, **values: Any) -> Any:
        given = {
            "name": "Sample",
            "model": "res.partner",
            "function": "search",
            "args": "([],)",
            "interval_type": "minutes",
            "numbercall": -1,
            "nextcall": fields.Datetime.now() - timedelta(minutes=minutes),
        }
        made = session.env["ir.cron"].create({**given, **values})
        session.cr.execute("SELECT 1")  # flushes
        return made

    return make


def names(cr: Any) -> list[str]:
    cr.execute("SELECT name FROM queue_job ORDER BY id")
    return [row[0] for row in cr.fetchall()]


def row(cr: Any) -> Any:
    cr.execute("SELECT numbercall, active, nextcall > now() AT TIME ZONE 'UTC' FROM ir_cron")
    return cr.fetchone()


def test_a_due_cron_becomes_one_job_that_makes_its_call(session, make):
    """
    An occurrence is one job, as the cron's user, and the next one lies ahead.
    """
    make(0.5)

    assert (cron.hand_out(session.cr), cron.hand_out(session.cr)) == (1, 0)

    assert row(session.cr) == (-1, True, True)
    session.cr.execute("SELECT uuid FROM queue_job")
    job = OpenERPJobStorage(session).load(session.cr.fetchone()[0])
    assert (job.channel, job.user_id) == ("root.cron", session.uid)
    assert job.perform(session) == session.env["res.partner"].search([])


def test_one_run_stands_for_the_missed_ones_and_says_so(session, make, caplog):
    """
    Without `doall`, five occurrences are one job, which tells of the four missed.
    """
    make(4.5)

    assert cron.hand_out(session.cr) == 1

    assert names(session.cr)[0].endswith("4 missed")
    assert "missed 4 runs" in caplog.text
    assert row(session.cr)[2]


def test_each_missed_run_is_caught_up_where_that_is_asked_for(session, make):
    """
    With `doall` every occurrence is a job, up to the number of calls; then the cron is over.
    """
    make(4.5, doall=True, numbercall=3)

    assert cron.hand_out(session.cr) == 3

    assert len(set(names(session.cr))) == 3
    assert row(session.cr)[:2] == (0, False)
    assert cron.hand_out(session.cr) == 0


def test_two_years_of_missed_minutes_are_told_and_not_kept_in_memory(session, make):
    """
    However many occurrences were missed, one row of memory tells of them.
    """
    make(2 * 365 * 24 * 60 + 0.5)
    tracemalloc.start()

    assert cron.hand_out(session.cr) == 1

    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert names(session.cr)[0].endswith("1051200 missed")
    assert row(session.cr)[2]


def test_the_day_is_kept_from_one_hand_out_to_the_next(session, make):
    """
    After February the call goes back to its 31st; a person who gives another day changes it.
    """
    made = make(0, interval_type="months")
    cr = session.cr
    days = []
    for moment in ("2024-01-31 10:00", None, None):
        cr.execute(
            "UPDATE ir_cron SET nextcall = coalesce(%s::timestamp, nextcall), doall = true,"
            " numbercall = 1, active = true",
            (moment,),
        )
        cron.hand_out(cr)
        cr.execute("SELECT to_char(nextcall, 'MM-DD') FROM ir_cron")
        days.append(cr.fetchone()[0])
    made.invalidate_cache()
    made.nextcall = "2025-02-28 10:00:00"
    cr.execute("UPDATE ir_cron SET numbercall = 1, active = true")
    cron.hand_out(cr)
    cr.execute("SELECT to_char(nextcall, 'MM-DD') FROM ir_cron")

    assert days == ["02-29", "03-31", "04-30"]
    assert cr.fetchone() == ("03-28",)


@pytest.mark.parametrize("number", [0, -1])
def test_a_broken_cron_stops_no_other_one(session, make, caplog, number):
    """
    A row whose interval leads nowhere is switched off and told; the others run.
    """
    broken = make(1)
    make(0.5, name="Sound")
    session.cr.execute("UPDATE ir_cron SET interval_number = %s WHERE id = %s", (number, broken.id))

    assert cron.hand_out(session.cr) == 1

    assert "Sound" in names(session.cr)[0]
    assert "switched off" in caplog.text
    session.cr.execute("SELECT active FROM ir_cron WHERE id = %s", (broken.id,))
    assert session.cr.fetchone() == (False,)


def test_a_run_that_has_not_begun_stands_for_the_next(session, make):
    """
    While the job of one occurrence waits, the next occurrence adds none.
    """
    made = make(0.5)
    cron.hand_out(session.cr)
    session.cr.execute("UPDATE ir_cron SET nextcall = nextcall - interval '1 minute'")
    cron.hand_out(session.cr)

    assert len(names(session.cr)) == 1
    assert made.active


def test_what_cannot_be_called_fails_with_advice(session, make):
    """
    Broken arguments are a failed job; a cron that is gone is nothing to do.
    """
    made = make(1, args="import os")
    with pytest.raises(FailedJobError, match="no tuple"):
        cron.run_cron(session, "ir.cron", made.id, fields.Datetime.now())
    lost = make(1, model="no.such.model")
    with pytest.raises(FailedJobError, match=r"no\.such\.model"):
        cron.run_cron(session, "ir.cron", lost.id, fields.Datetime.now())
    with pytest.raises(NothingToDoJob):
        cron.run_cron(session, "ir.cron", 0, fields.Datetime.now())


def test_eight_machines_make_one_job_of_an_occurrence(database):
    """
    Whoever hands out at the same time, an occurrence is one job.
    """
    with database.session(sql.READ_COMMITTED) as session:
        session.cr.execute("UPDATE ir_cron SET active = true, nextcall = now() AT TIME ZONE 'UTC'")
        session.cr.execute("SELECT count(*) FROM ir_cron")
        crons = session.cr.fetchone()[0]
    assert crons
    made: list[int] = []
    barrier = threading.Barrier(8)

    def hand_out() -> None:
        with database.cursor(sql.READ_COMMITTED) as cr:
            barrier.wait()
            made.append(cron.hand_out(cr))

    threads = [threading.Thread(target=hand_out) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(made) == crons


def test_old_jobs_are_removed_by_a_cron(session):
    """
    The addon brings a daily cron that removes old jobs.
    """
    found = session.env.ref("connector.cron_remove_old_jobs")

    assert (found.model, found.function, found.interval_type) == ("queue.job", "autovacuum", "days")
    assert session.env["queue.job"].autovacuum() == "0 removed"


def test_an_uninstalled_connector_leaves_nothing_of_the_queue(database):
    """
    Removing the addon `connector` drops the tables and the function beside its models.
    """
    from connector.core import modules

    modules.uninstall(database.name, ["connector"])

    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'queue_job%%'"
            " UNION SELECT proname FROM pg_proc WHERE proname LIKE 'queue_job%%'"
        )
        assert cr.fetchall() == []


def test_the_dispatcher_hands_out_what_is_due(database):
    """
    A step of the dispatcher makes the jobs of due crons.
    """
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC'")
    dispatcher = Dispatcher(database.name, broker.current())
    try:
        dispatcher.step()
    finally:
        dispatcher.close()

    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT DISTINCT channel FROM queue_job")
        assert cr.fetchall() == [("root.cron",)]
