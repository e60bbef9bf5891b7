"""What a Connector Manager may do with jobs, and whose jobs he sees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.core.exceptions import AccessError, UserError, ValidationError
from connector.jobrunner import channels as old_place
from connector.queue.broker import message_id
from connector.queue.channels import ChannelManager
from connector.queue.job import job, related_action

MODEL = "res.partner"


@job
def checked(session: Any, model_name: str) -> None:
    """A job that somebody looks after."""


@job
@related_action(lambda session, job, **extra: {"res_id": job.args[1], **extra}, res_model=MODEL)
def shown(session: Any, model_name: str, record_id: int) -> None:
    """A job with a record behind it."""


@pytest.fixture
def manager(session: Any) -> Any:
    """A Connector Manager of a company of his own."""
    env = session.env
    company = env["res.company"].create({"name": "Below"})
    return env["res.users"].create(
        {
            "name": "Manager",
            "login": "manager",
            "company_id": company.id,
            "groups_id": [(6, 0, [env.ref("connector.group_connector_manager").id])],
        }
    )


def failed_job(session: Any, company: Any) -> Any:
    context = {"company_id": company.id if company else None}
    with session.change_context(context):
        uuid = checked.delay(session, MODEL)
    session.cr.execute("UPDATE queue_job SET state = 'failed' WHERE uuid = %s", (uuid,))
    session.env["queue.job"].invalidate_cache()
    return session.env["queue.job"].search([("uuid", "=", uuid)])


def test_a_manager_puts_jobs_back_by_the_wizard(session: Any, manager: Any) -> None:
    """The wizard takes the chosen jobs, and they wait again with all their tries."""
    failed = failed_job(session, None)
    wizard = session.env["queue.requeue.job"].sudo(manager.id)

    wizard.with_context(active_ids=failed.ids).create({}).requeue()

    assert failed.state == "pending"


def test_a_manager_plans_jobs_and_writes_no_state(session: Any, manager: Any) -> None:
    """Priority and channel are his to write; what workers write is refused with the way out."""
    failed = failed_job(session, None).sudo(manager.id)

    failed.write({"priority": 3})
    with pytest.raises(AccessError, match=r"writes result, state of a job.*button_done"):
        failed.write({"state": "done", "result": "never ran"})

    assert (failed.priority, failed.state) == (3, "failed")


def test_a_manager_asks_the_workers_to_stop_a_job(session: Any, manager: Any, redis: Any) -> None:
    """Every worker is asked for a job that runs, none for one that does not."""
    running, other = failed_job(session, None), failed_job(session, None)
    session.cr.execute("UPDATE queue_job SET state = 'started' WHERE id = %s", (running.id,))
    with redis.redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe("rq:pubsub:test")
        heard.get_message(timeout=5)

        (running | other).sudo(manager.id).button_stop()

        told = json.loads(heard.get_message(timeout=5)["data"])
        assert heard.get_message(timeout=0.2) is None
    assert told == {
        "command": "stop-job",
        "job_id": message_id(session.cr.dbname, running.uuid),
    }


def test_a_job_that_others_need_is_not_deleted(session: Any) -> None:
    """What runs, or is waited for, stays; deleted together with those that wait it goes."""
    jobs = session.env["queue.job"]
    parent = jobs.search([("uuid", "=", checked.delay(session, MODEL))])
    child = jobs.search([("uuid", "=", checked.delay(session, MODEL, depends_on=[parent.uuid]))])

    with pytest.raises(UserError, match="other jobs wait for it"):
        parent.unlink()
    with pytest.raises(ValidationError, match=r"'root\.a,b'"):
        child.write({"channel": "root.a,b"})

    assert (parent | child).unlink()


def test_jobs_of_other_companies_are_not_seen(session: Any, manager: Any) -> None:
    """A manager sees the jobs of no company, of his own and of those below it."""
    own = manager.company_id
    below = session.env["res.company"].create({"name": "Far below", "parent_id": own.id})
    other = session.env["res.company"].create({"name": "Elsewhere"})
    seen = failed_job(session, None) + failed_job(session, own) + failed_job(session, below)
    hidden = failed_job(session, other)

    found = session.env["queue.job"].sudo(manager.id).search([])

    assert set(seen.ids) <= set(found.ids)
    assert hidden.id not in found.ids
    with pytest.raises(AccessError):
        hidden.sudo(manager.id).requeue()
    assert hidden.state == "failed"


def test_the_record_behind_a_job_is_opened_or_told_to_be_missing(session: Any) -> None:
    """A related action is what its function answers; without one the error says so."""
    plain = failed_job(session, None)
    pointing = session.env["queue.job"].search([("uuid", "=", shown.delay(session, MODEL, 7))])

    assert pointing.open_related_action() == {"res_model": MODEL, "res_id": 7}
    function = session.env["queue.job.function"].create({"name": pointing.func_name})
    assert (pointing | plain).mapped("job_function_id") == function
    with pytest.raises(UserError, match=r"no record to open .*checked names none"):
        plain.open_related_action()


def test_data_files_name_the_top_of_the_channels(session: Any) -> None:
    """`connector.channel_root` is the channel that all others are below."""
    root = session.env.ref("connector.channel_root")

    made = session.env["queue.job.channel"].create({"name": "shop", "parent_id": root.id})

    assert (root.complete_name, made.complete_name) == ("root", "root.shop")


def test_the_channels_are_found_under_the_name_of_8_0() -> None:
    """The module that 8.0 has them in gives the same classes."""
    assert old_place.ChannelManager is ChannelManager
    assert set(old_place.__all__) <= set(dir(old_place))
