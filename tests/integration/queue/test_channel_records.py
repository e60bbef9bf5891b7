"""Channels as records: what they leave to the configuration, names, and the root."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core.exceptions import ValidationError
from connector.exception import JobDefinitionError
from connector.queue import channel_store
from connector.queue.channels import ChannelSettings, settings_from_text
from connector.queue.job import job

MODEL = "res.partner"


@job
def sample(session: Any, model_name: str) -> None:
    """A sample job."""


def channel(session: Any, name: str, parent: str = "root", **values: Any) -> Any:
    channels = session.env["queue.job.channel"]
    above = channels.search([("complete_name", "=", parent)])
    return channels.create({"name": name, "parent_id": above.id, **values})


def names(session: Any) -> list[str]:
    session.cr.execute("SELECT complete_name FROM queue_job_channel ORDER BY complete_name")
    return [row[0] for row in session.cr.fetchall()]


def channels_of_jobs(session: Any) -> list[str]:
    session.cr.execute("SELECT channel FROM queue_job ORDER BY id")
    return [row[0] for row in session.cr.fetchall()]


def test_a_new_record_leaves_to_the_configuration_what_it_does_not_say(session):
    """
    Only what a person gives wins over the configuration; a false that was given counts too.
    """
    channel(session, "a")
    channel(session, "b", sequential=False, capacity=3)

    configured = settings_from_text("a:1:sequential:throttle=2,b:1:sequential")
    tree = channel_store.read_tree(session.cr, configured)

    assert tree.settings("root.a") == ChannelSettings("root.a", 1, True, 2.0)
    assert (tree.settings("root.b").capacity, tree.settings("root.b").sequential) == (3, False)


def test_a_renamed_channel_takes_those_below_it_and_their_jobs_along(session):
    """
    A new name, or a new parent, is that of the whole branch and of its waiting jobs.
    """
    shop = channel(session, "shop")
    channel(session, "orders", "root.shop")
    channel(session, "shopping")
    for name in ("root.shop.orders", "root.shop", "root.shopping"):
        sample.delay(session, MODEL, channel=name)

    shop.write({"name": "store"})

    assert {"root.store", "root.store.orders", "root.shopping"} <= set(names(session))
    assert channels_of_jobs(session) == ["root.store.orders", "root.store", "root.shopping"]
    shopping = session.env["queue.job.channel"].search([("complete_name", "=", "root.shopping")])
    shop.write({"parent_id": shopping.id})
    assert channels_of_jobs(session)[0] == "root.shopping.store.orders"
    assert shop.complete_name == "root.shopping.store"


def test_the_tree_stays_a_tree(session):
    """
    The root is neither renamed nor removed, nothing is put below itself or beside the root.
    """
    shop = channel(session, "shop")
    orders = channel(session, "orders", "root.shop")
    root = shop.parent_id
    for change in (
        lambda: root.write({"name": "top"}),
        root.unlink,
        lambda: shop.write({"parent_id": orders.id}),
        lambda: session.env["queue.job.channel"].create({"name": "lost"}),
        lambda: channel(session, "a.b"),
        lambda: channel(session, "a:b"),
        lambda: channel(session, " "),
    ):
        with pytest.raises(ValidationError), session.cr.savepoint():
            change()
    assert {"root", "root.shop", "root.shop.orders"} <= set(names(session))


@pytest.mark.parametrize("name", ["shop..orders", "shop:2", "a, b", "root.", "a=b"])
def test_a_name_that_no_configuration_could_name_is_refused(session, name):
    """
    A command, and a job function, can name only what a configuration could.
    """
    with pytest.raises(JobDefinitionError, match="channel"):
        channel_store.set_channel(session.cr, ChannelSettings(name, capacity=1))
    with pytest.raises(JobDefinitionError):
        job(default_channel=f"root.{name.removeprefix('root.')}")(sample)
