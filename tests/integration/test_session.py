"""Sessions: whose user and context, and who commits."""

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
