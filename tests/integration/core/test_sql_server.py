"""Errors of a server that is not there, or named wrongly."""

import socket

import pytest

from connector.core import sql
from connector.core.exceptions import DatabaseUnreachableError, NoServerError
from connector.core.sql import errors, server


@pytest.fixture
def own_server(monkeypatch):
    """The server in use is this test's own matter."""
    monkeypatch.setattr(server, "_server", None)


def test_no_server(own_server):
    """
    Without a server the error says what to set.
    """
    with pytest.raises(NoServerError, match="DATABASE_URL"):
        sql.connect("any")
    sql.close_all()


def test_unreachable_server(own_server):
    """
    A server that does not answer is named with its place, and without the password.
    """
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    sql.use_server(f"postgresql://someone:secret@127.0.0.1:{port}/shop")
    assert sql.default_database() == "shop"
    with pytest.raises(DatabaseUnreachableError) as caught:
        sql.connect("shop").cursor()
    message = str(caught.value)
    assert f"127.0.0.1, port {port}" in message
    assert "secret" not in message
    assert errors.is_connection_lost(caught.value)


def test_unreadable_url(own_server):
    """
    A URL that cannot be read is told without being shown: it may hold a password.
    """
    with pytest.raises(DatabaseUnreachableError, match="postgresql://user") as caught:
        sql.use_server("postgresql://someone:secret@[broken/shop")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
