"""The job as an object: its changes, its tries, and what `store` writes of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connector.exception import (
    FailedJobError,
    JobDefinitionError,
    JobError,
    NoSuchJobError,
    RetryableJobError,
)
from connector.queue.call import Job
from connector.queue.clock import utc_now
from connector.queue.job import JobStorage, OpenERPJobStorage, job

MODEL = "res.partner"


@job(retry_pattern={1: 60, 3: 180})
def sample(session: Any, model_name: str, *args: Any, **kwargs: Any) -> Any:
    """A sample job."""
    return session.uid, dict(session.context), args


@job
def come_back(session: Any, model_name: str, ignore_retry: bool) -> None:
    """Ask for another try."""
    raise RetryableJobError("Not now", ignore_retry=ignore_retry)


def stored(session: Any, **options: Any) -> tuple[OpenERPJobStorage, Job]:
    storage = OpenERPJobStorage(session)
    return storage, storage.load(sample.delay(session, MODEL, **options))


def row(session: Any, uuid: str) -> Any:
    record = OpenERPJobStorage(session).db_record_from_uuid(uuid)
    record.invalidate_cache()
    return record


def set_state(session: Any, uuid: str, state: str) -> None:
    session.cr.execute("UPDATE queue_job SET state = %s WHERE uuid = %s", (state, uuid))


def test_each_change_is_kept_with_its_moment():
    """
    `set_*`, `cancel` and `postpone` change state, moments, tries and result, as in 8.0.
    """
    made = Job(sample, model_name=MODEL)
    made.set_enqueued("host:1")
    assert (made.state, made.worker_uuid, made.date_enqueued is None) == (
        "enqueued",
        "host:1",
        False,
    )
    made.set_started()
    assert (made.state, made.date_started is None) == ("started", False)
    made.set_failed(exc_info="Traceback")
    assert (made.state, made.exc_info) == ("failed", "Traceback")
    made.retry = 3
    made.set_pending(result="later", reset_retry=False)
    assert (made.state, made.retry, made.result) == ("pending", 3, "later")
    assert (made.date_enqueued, made.date_started, made.worker_uuid) == (None, None, None)
    made.postpone(result="wait")
    assert timedelta(seconds=170) < made.eta - utc_now() <= timedelta(seconds=180)
    assert (made.exc_info, made.result) == (None, "wait")
    made.postpone(seconds=10)
    assert made.eta - utc_now() <= timedelta(seconds=10)
    made.set_pending()
    assert made.retry == 0
    made.set_done(result="done it")
    assert (made.state, made.result, made.date_done is None) == ("done", "done it", False)
    made.cancel()
    assert (made.state, made.canceled, made.result) == (
        "cancelled",
        True,
        "Canceled. Nothing to do.",
    )


def test_jobs_are_sorted_by_eta_priority_and_date():
    """
    Without an eta first, then the smaller eta, priority and date; with others there is no order.
    """
    eta = datetime(2026, 11, 21)
    jobs = [Job(sample, eta=eta, priority=1), Job(sample, priority=2), Job(sample, priority=2)]
    late, first, second = jobs

    assert sorted(jobs) == [first, second, late]
    assert first < second <= late
    assert late > second >= first
    for compared in (lambda: first < 1, lambda: first == 1, lambda: first != None):  # noqa: E711
        with pytest.raises(TypeError, match="cannot be compared"):
            compared()


def test_jobs_of_one_place_are_equal():
    """
    Equal are jobs of which none comes first, and their hashes are equal too.
    """
    one, other = Job(sample), Job(sample, priority=3)
    other.date_created = one.date_created
    assert one != other
    other.priority = one.priority
    assert one == other
    assert len({one, other}) == 1


def test_an_eta_that_is_set_is_a_moment():
    """
    Seconds and a span count from now, a moment is one, and nothing is none.
    """
    made = Job(sample)
    for eta in (60, timedelta(minutes=1)):
        made.eta = eta
        assert timedelta(seconds=30) < made.eta - utc_now() <= timedelta(seconds=60)
    made.eta = datetime(2030, 1, 1)
    assert made.eta == datetime(2030, 1, 1)
    made.eta = 0
    assert made.eta is None


def test_a_changed_job_is_stored(session):
    """
    What a person changes of a loaded job is in its row after `store`.
    """
    storage, loaded = stored(session)
    loaded.priority = 1
    loaded.eta = datetime(2030, 1, 1)
    loaded.channel = "root.shop"
    loaded.set_failed(exc_info="Traceback")
    storage.store(loaded)

    again = storage.load(loaded.uuid)
    assert (again.priority, again.eta, again.channel) == (1, datetime(2030, 1, 1), "root.shop")
    assert (again.state, again.exc_info) == ("failed", "Traceback")
    assert storage.db_record(loaded).state == "failed"
    assert isinstance(storage, JobStorage)


def test_a_change_that_no_row_could_keep_is_refused(session):
    """
    A job that is stored again is looked at like a new one; texts for people are escaped.
    """
    storage, loaded = stored(session)
    for name, wrong in (("priority", 10**12), ("max_retries", -1), ("channel", "root.a,b")):
        kept = getattr(loaded, name)
        setattr(loaded, name, wrong)
        with pytest.raises(JobDefinitionError):
            storage.store(loaded)
        setattr(loaded, name, kept)
    loaded.set_failed(exc_info="a\0b")
    storage.store(loaded)

    assert storage.load(loaded.uuid).exc_info == "a\\0b"


def test_what_waits_follows_a_job_that_is_stored_as_ended(session):
    """
    Stored as done a job releases what waits for it; stored as cancelled it takes it along.
    """
    storage, parent = stored(session)
    child = sample.delay(session, MODEL, depends_on=[parent.uuid])
    parent.set_done()
    storage.store(parent)
    assert row(session, child).state == "pending"

    storage, parent = stored(session)
    child = sample.delay(session, MODEL, depends_on=[parent.uuid])
    parent.cancel("no more")
    storage.store(parent)
    assert row(session, child).state == "cancelled"
    assert row(session, parent.uuid).result == "no more"


def test_a_job_that_would_wait_again_gives_way_to_one_with_its_key(session):
    """
    Stored as pending while another job with its identity key waits, a job becomes cancelled.
    """
    storage, old = stored(session, identity_key="k")
    set_state(session, old.uuid, "failed")
    new = sample.delay(session, MODEL, identity_key="k")

    old.set_pending()
    storage.store(old)

    assert row(session, old.uuid).state == "cancelled"
    assert row(session, old.uuid).result == f"superseded by {new}"


def test_what_runs_is_never_written_to(session):
    """
    A started job cannot be changed, nobody but a worker starts one, and a lost row is told.
    """
    storage, loaded = stored(session)
    loaded.set_started()
    with pytest.raises(JobError, match="cannot be stored as started"):
        storage.store(loaded)
    set_state(session, loaded.uuid, "started")
    loaded.set_done()
    with pytest.raises(JobError, match="is started"):
        storage.store(loaded)
    assert row(session, loaded.uuid).state == "started"
    session.cr.execute("DELETE FROM queue_job")
    with pytest.raises(NoSuchJobError):
        storage.store(loaded)


def test_perform_is_a_try_as_the_user_and_in_the_context_of_the_job(session):
    """
    `perform` counts the try, and works as the user and in the context that are kept.
    """
    user = session.env["res.users"].create({"name": "U", "login": "u"})
    with session.change_user(user.id), session.change_context(lang="de_DE"):
        _storage, made = stored(session)

    uid, context, _args = made.perform(session)

    assert (uid, context["lang"], context["job_uuid"]) == (user.id, "de_DE", made.uuid)
    assert (made.retry, made.result[0]) == (1, user.id)
    assert "job_uuid" not in session.context
    made.cancel()
    with pytest.raises(JobDefinitionError, match="is cancelled"):
        made.perform(session)


def test_perform_gives_up_after_the_last_try(session):
    """
    A retry is raised on until the tries are used up; one that is to be ignored is not counted.
    """
    made = Job(come_back, model_name=MODEL, args=(MODEL, False), max_retries=2)
    with pytest.raises(RetryableJobError):
        made.perform(session)
    with pytest.raises(FailedJobError, match=r"Max\. retries \(2\) reached: Not now") as raised:
        made.perform(session)
    assert isinstance(raised.value.__cause__, RetryableJobError)

    made = Job(come_back, model_name=MODEL, args=(MODEL, True), max_retries=1)
    with pytest.raises(RetryableJobError):
        made.perform(session)
    assert made.retry == 0
