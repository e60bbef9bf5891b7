"""Records that are created, written or deleted fire events."""

import pytest

from connector.core.addon import declared_in
from connector.event import Consumers, on_record_create, on_record_unlink, on_record_write

EVENTS = {"create": on_record_create, "write": on_record_write, "unlink": on_record_unlink}


@pytest.fixture
def heard(monkeypatch):
    """What consumers of all three events are told; the subscriptions end with the test."""
    heard = []
    for name, event in EVENTS.items():
        monkeypatch.setattr(event, "_consumers", {None: Consumers()})

        def consumer(session, model_name, record_id, vals=None, name=name):
            there = bool(session.env[model_name].browse(record_id).exists())
            heard.append((name, model_name, record_id, vals, there))

        with declared_in("connector"):
            event.subscribe(consumer, model_names=["res.partner", "res.users"])
    return heard


def test_creation_is_told_after_it_with_its_values(env, heard):
    """
    A created record is there when it is told; several at once are told one by one.
    """
    one = env["res.partner"].create({"name": "Ann"})
    two = env["res.partner"].create([{"name": "Bo"}, {"name": "Cy"}])

    assert heard == [
        ("create", "res.partner", one.id, {"name": "Ann"}, True),
        ("create", "res.partner", two[0].id, {"name": "Bo"}, True),
        ("create", "res.partner", two[1].id, {"name": "Cy"}, True),
    ]


def test_writing_is_told_once_for_each_record(env, heard):
    """
    A write of several records is told for each, with the values as they were given.
    """
    partners = env["res.partner"].create([{"name": "Bo"}, {"name": "Cy"}])
    del heard[:]

    partners.write({"city": "Rome"})

    assert heard == [("write", "res.partner", each.id, {"city": "Rome"}, True) for each in partners]


def test_deletion_is_told_before_it(env, heard):
    """
    A record is still there when its deletion is told.
    """
    partner = env["res.partner"].create({"name": "Bo"})
    del heard[:]

    partner.unlink()

    assert heard == [("unlink", "res.partner", partner.id, None, True)]


def test_record_behind_another_is_told_too(env, heard):
    """
    Creating a user creates its partner, and both are told.
    """
    user = env["res.users"].create({"name": "Mia", "login": "mia"})

    assert [(name, model) for name, model, *_ in heard if name == "create"] == [
        ("create", "res.partner"),
        ("create", "res.users"),
    ]
    assert heard[0][2] == user.partner_id.id


def test_nobody_hears_where_the_connector_is_not_installed(env, heard, monkeypatch):
    """
    Only databases in which the addon `connector` is installed tell.
    """
    modules = env.registry._init_modules - {"connector"}
    monkeypatch.setattr(env.registry, "_init_modules", modules)

    env["res.partner"].create({"name": "Bo"}).unlink()

    assert heard == []
