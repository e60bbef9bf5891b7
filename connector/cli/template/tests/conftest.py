"""What the tests share: the other system in memory, and its record here."""

from collections.abc import Iterator

import pytest
from connector.session import ConnectorSession, Recordset
from connector.testing import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """Twelve customers, more than fit on one page."""
    customers = [
        {"id": number, "name": f"Customer {number}", "email": f"{number}@example.com", "city": None}
        for number in range(1, 13)
    ]
    with FakeApi({"customers": customers}) as api:
        yield api


@pytest.fixture
def backend(session: ConnectorSession, api: FakeApi) -> Recordset:
    """The record of the other system."""
    return make_backend(session, api)


def make_backend(session: ConnectorSession, api: FakeApi) -> Recordset:
    values = {"name": "Test", "version": "1", "location": api.url, "token": api.token}
    return session.env["new_connector.backend"].create(values)
