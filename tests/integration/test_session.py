"""Sessions: whose user and context, and who commits."""

import threading

import pytest

from connector.session import ConnectorSession, ConnectorSessionHandler, checkpoints_by


def test_session_shows_its_environment(env):
    """
    A session gives cursor, user, context and registry of its environment.
    """
    session = ConnectorSession(env.cr, env.uid, {"lang": "en_US"})

    assert (session.cr, session.uid, session.context) == (env.cr, env.uid, {"lang": "en_US"})
    assert session.pool is session.env.registry
    assert session.is_module_installed("connector")
    assert not session.is_module_installed("nothing")
    assert repr(session) == (
        f"<Session db_name: {env.cr.dbname}, uid: {env.uid}, context: {{'lang': 'en_US'}}>"
    )


def test_user_and_context_are_restored_after_an_error(session):
    """
    A changed user or context lasts as long as its block, also when the block raises.
    """
    uid, context = session.uid, dict(session.context)

    with pytest.raises(RuntimeError), session.change_user(7), session.change_context(lang="sv"):
        assert (session.uid, session.context["lang"]) == (7, "sv")
        raise RuntimeError

    assert (session.uid, session.context) == (uid, context)


def test_context_is_merged_or_replaced(session):
    """
    Keywords are merged over the context, a mapping replaces it first.
    """
    with session.change_context(a=1):
        with session.change_context(b=2):
            assert dict(session.context) == {"a": 1, "b": 2}
        with session.change_context({"c": 3}, b=2):
            assert dict(session.context) == {"c": 3, "b": 2}


def test_sessions_of_one_cursor_ask_its_owner_to_commit(env):
    """
    Whoever owns the transaction answers every commit on its cursor, of derived sessions too.
    """
    asked = []
    with checkpoints_by(env.cr, lambda: asked.append(1)):
        ConnectorSession(env.cr, env.uid).commit()
        ConnectorSession.from_env(env).commit()

    assert asked == [1, 1]


def test_handler_commits_at_the_end(database):
    """
    A handler's session is committed when its block ends, and undone when it raises.
    """
    handler = ConnectorSessionHandler(database.name, 1, {"lang": "en_US"})

    with handler.session() as session:
        assert session.context == {"lang": "en_US"}
        session.env["res.partner"].create({"name": "kept"})
    with pytest.raises(RuntimeError), handler.session() as session:
        session.env["res.partner"].create({"name": "lost"})
        raise RuntimeError

    with database.env() as env:
        assert env["res.partner"].search_count([("name", "in", ["kept", "lost"])]) == 1
    assert session.cr.closed


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_shortcuts_of_8_work_and_warn(session):
    """
    search gives ids, create an id, browse records; one id or several are taken.
    """
    with pytest.warns(DeprecationWarning, match=r"session\.env\[model\]\.create"):
        ann = session.create("res.partner", {"name": "Ann Shortcut"})
    bo = session.create("res.partner", {"name": "Bo Shortcut"})
    domain = [("name", "like", "Shortcut")]

    assert session.search("res.partner", domain, order="name") == [ann, bo]
    assert session.search("res.partner", domain, limit=1, offset=1, order="name") == [bo]
    assert session.browse("res.partner", ann).name == "Ann Shortcut"
    assert session.browse("res.partner", [ann, bo]).ids == [ann, bo]
    assert session.read("res.partner", ann, ["name"]) == {"id": ann, "name": "Ann Shortcut"}
    assert session.read("res.partner", [bo], ["name"]) == [{"id": bo, "name": "Bo Shortcut"}]
    assert session.write("res.partner", [ann, bo], {"city": "Rome"}) is True
    assert session.browse("res.partner", [ann, bo]).mapped("city") == ["Rome", "Rome"]
    assert session.unlink("res.partner", ann) is True
    assert session.search("res.partner", domain) == [bo]


def test_thread_of_a_test_commits_nothing(database, monkeypatch):
    """
    Where a test marks its thread with `testing`, `commit` does nothing.
    """
    with database.session() as session:
        session.env["res.partner"].create({"name": "Lost"})
        monkeypatch.setattr(threading.current_thread(), "testing", True, raising=False)
        session.commit()
        monkeypatch.undo()
        session.rollback()
    with database.env() as env:
        assert not env["res.partner"].search([("name", "=", "Lost")])


def test_handler_rolls_back_and_closes_after_an_error(database):
    """
    An error in the block undoes the transaction, closes the cursor and goes on.
    """
    handler = ConnectorSessionHandler(database.name, 1, {"lang": "en_US"})
    with pytest.raises(LookupError), handler.session() as session:
        session.env["res.partner"].create({"name": "Undone"})
        raise LookupError

    assert session.cr.closed
    assert (handler.db_name, handler.uid, handler.context) == (database.name, 1, {"lang": "en_US"})
    with handler.session() as session:
        assert not session.env["res.partner"].search([("name", "=", "Undone")])
