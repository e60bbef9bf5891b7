"""Who is told that a job has failed."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import SUPERUSER_ID
from connector.queue import failure, retention
from connector.queue.job import job
from connector.queue.state import State

MODEL = "res.partner"


@job
def risky(session: Any, model_name: str) -> None:
    """A job that fails."""


def manager_of(env: Any, login: str, company: Any) -> Any:
    group = env.ref("connector.group_connector_manager")
    return env["res.users"].create(
        {
            "name": login,
            "login": login,
            "company_id": company.id,
            "groups_id": [(6, 0, group.ids)],
        }
    )


@pytest.fixture
def failed(session: Any) -> Any:
    """A job of a company of its own that has failed."""
    company = session.env["res.company"].create({"name": "Below"})
    with session.change_context(company_id=company.id):
        uuid = risky.delay(session, MODEL)
    session.cr.execute(
        "UPDATE queue_job SET state = 'failed', exc_name = 'SomeError', date_done = '2020-01-01'"
    )
    return session.env["queue.job"].search([("uuid", "=", uuid)])


def test_the_managers_of_its_company_follow_a_failed_job(session: Any, failed: Any) -> None:
    """Active managers of the job's company, or of one below it, follow it and read one message."""
    env, company = session.env, failed.company_id
    below = env["res.company"].create({"name": "Far below", "parent_id": company.id})
    near, far = manager_of(env, "near", company), manager_of(env, "far", below)
    manager_of(env, "gone", company).active = False
    manager_of(env, "elsewhere", env["res.company"].create({"name": "Elsewhere"}))

    failure.tell(session, failed.uuid)

    assert failed.message_follower_ids == near | far
    assert failed.message_ids.subtype == "connector.mt_job_failed"
    assert failed.message_ids.body == (
        "The job has failed with SomeError. Its exception info says more."
    )
    assert failed.sudo(near.id).message_ids == failed.message_ids


def test_a_job_of_no_company_is_told_to_all_managers(session: Any, failed: Any) -> None:
    """Where a job has no company, every active manager follows it."""
    failed.company_id = False

    failure.tell(session, failed.uuid)

    managers = session.env.ref("connector.group_connector_manager").users
    assert failed.message_follower_ids == managers


def test_a_job_that_is_written_failed_is_told(session: Any, failed: Any) -> None:
    """A state written over the model is told like one that a worker writes."""
    failed.write({"state": "failed"})

    assert len(failed.message_ids) == 1


def test_what_was_put_back_meanwhile_is_not_told(session: Any, failed: Any) -> None:
    """Nobody hears of a failure that is none any more."""
    failed.requeue()

    failure.tell(session, failed.uuid)

    assert not failed.message_ids


def test_messages_and_followers_go_with_old_jobs(session: Any, failed: Any) -> None:
    """What removes an old job removes what was said of it, and nothing that was said elsewhere."""
    other = session.env["connector.message"].create(
        {"model": "res.partner", "res_id": failed.id, "body": "Another record of that number"}
    )
    failure.tell(session, failed.uuid)
    limits = retention.uniform_rules(session.cr, [State.FAILED], 1, None)

    assert sum(retention.purge(session.cr, limits, list)) == 1

    assert session.env["connector.message"].search([]) == other
    session.cr.execute("SELECT count(*) FROM queue_job_res_users_rel")
    assert session.cr.fetchone() == (0,)


def test_the_failure_of_a_dead_job_is_told_by_a_job(session: Any, failed: Any) -> None:
    """Where no models are known a job is written that tells it, but none for such a job itself."""
    failure.tell_later(session.cr, failed.uuid, failed.func_name)
    failure.tell_later(session.cr, "another", "connector.queue.failure.tell_failure")

    told = session.env["queue.job"].search([("state", "=", "pending")])
    assert (len(told), told.args, told.user_id.id) == (1, ["queue.job", failed.uuid], SUPERUSER_ID)
    failure.tell_failure(session, *told.args)
    assert len(failed.message_ids) == 1
