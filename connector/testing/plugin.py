"""
The pytest plugin: servers, databases and environments for tests.

    servers      PostgreSQL and Redis: those of DATABASE_URL and REDIS_URL, or started ones
    addons       what is installed: mark `addons`, else ini `connector_addons`
    database     a real copy of the template database, with real commits
    env          one transaction that is rolled back, on a copy shared by such tests
    session      a connector session over `env`
    (no name)    TransactionCase and CommittedCase get the database of their addons
    declared_in  classes made in its block belong to an addon; so does the mark `declared_in`
    backend_registry  an empty registry of backends
    recorded_http     the HTTP of the test is replayed from its cassette

Whatever a test declares ends with it: backends, units, consumers, job functions, models.

Imported by every run of pytest, so it imports what it needs when a fixture is used.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from connector.embedded import Services
    from connector.testing.databases import TestDatabase

ADDONS = "connector_addons"
#: Below the data directory: a test run must not share servers with real data.
TESTS_DIRECTORY = "tests"
#: Before one of these modules is imported, nothing can be declared.
DECLARING = {"connector.core.models", "connector.connector_unit"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(ADDONS, "Addons of the tests' databases; the last one is under test.", "args")
    told = "Record the HTTP of tests with the fixture `recorded_http` anew; refused in CI."
    parser.getgroup("connector").addoption("--record-http", action="store_true", help=told)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "addons(*names): the addons of the test's database")
    if config.getoption("record_http") and os.environ.get("CI"):
        raise pytest.UsageError("CI replays and never records: leave out --record-http.")
    config.addinivalue_line("markers", "declared_in(name): the addon of the test's own classes")


@pytest.fixture(scope="session")
def servers() -> Iterator[Services]:
    """PostgreSQL and Redis answer, and the core knows where."""
    from connector import config
    from connector.core import sql
    from connector.embedded import Services
    from connector.queue import broker
    from connector.server_url import with_parameters
    from connector.testing import templates

    loaded = config.Config.load()
    # Processes of pytest-xdist have servers of their own each; there is no name without it.
    home = loaded.home / TESTS_DIRECTORY / os.environ.get("PYTEST_XDIST_WORKER", "")
    urls = {"database_url": loaded.dsn(), "redis_url": loaded.redis_url}
    with Services(home, **urls, is_durable=False) as services:
        sql.use_server(with_parameters(services.database_url, loaded.db_name, {}))
        broker.use_redis(services.redis_url)
        if loaded.dsn() is None:  # the server is this machine's own, so its pids mean something
            templates.drop_orphans()
        yield services
        sql.close_all()


@pytest.fixture
def addons(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The addons of this test's database; the last one is under test."""
    mark = request.node.get_closest_marker("addons")
    return tuple(mark.args if mark else request.config.getini(ADDONS)) or ("connector",)


@pytest.fixture
def database(servers: Services, addons: tuple[str, ...]) -> Iterator[TestDatabase]:
    """A database of the test's own, a real copy of the template."""
    from connector.testing import databases, templates

    name = templates.copy_of_template(addons)
    try:
        yield databases.TestDatabase(name, under_test=addons[-1])
    finally:
        templates.drop_copy(name)


@pytest.fixture(scope="session")
def shared_databases(servers: Services) -> Iterator[Callable[[tuple[str, ...]], str]]:
    """Gives the name of the one database in which tests of a set of addons are rolled back."""
    from connector.testing import templates

    made: dict[tuple[str, ...], str] = {}

    def shared(addons: tuple[str, ...]) -> str:
        if addons not in made:
            made[addons] = templates.copy_of_template(addons)
        return made[addons]

    yield shared
    for name in made.values():
        templates.drop_copy(name)


@pytest.fixture
def env(
    shared_databases: Callable[[tuple[str, ...]], str], addons: tuple[str, ...]
) -> Iterator[Any]:
    """An environment of the superuser in one transaction, which is rolled back."""
    from connector.core.testing import one_transaction
    from connector.testing.databases import ADVICE

    with one_transaction(shared_databases(addons), ADVICE) as environment:
        yield environment


@pytest.fixture(autouse=True)
def _database_of_cases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell TransactionCase and CommittedCase the database of their addons."""
    testing = sys.modules.get("connector.core.testing")
    case = getattr(request, "cls", None)
    if testing is None or case is None or not issubclass(case, testing.Case):
        yield
        return
    shared = request.getfixturevalue("shared_databases")
    testing.use_database(shared(request.getfixturevalue("addons")))
    yield
    testing.use_database(None)


@pytest.fixture
def session(env: Any) -> Any:
    """A connector session over `env`."""
    from connector.session import ConnectorSession

    return ConnectorSession.from_env(env)


@pytest.fixture
def declared_in(addons: tuple[str, ...]) -> Callable[..., AbstractContextManager[None]]:
    """
    A context in which classes belong to the addon named, by default to the one under test.

    `database.update` loads the models declared so, after those of the addons themselves.
    """
    from connector.core.addon import declared_in as declare
    from connector.testing import templates

    def declared(name: str = addons[-1]) -> AbstractContextManager[None]:
        # A model is built in the order of its declaration, and builds on those before it.
        templates.import_addons(addons)
        return declare(name)

    return declared


@pytest.fixture
def backend_registry() -> Iterator[Any]:
    """The registry that every `Backend()` joins, empty: the backends of all addons are away."""
    from connector.backend import BACKENDS

    known, BACKENDS.backends = BACKENDS.backends, set()
    yield BACKENDS
    BACKENDS.backends = known


@pytest.fixture
def http_secrets() -> tuple[str, ...]:
    """Values that are blanked in cassettes, beside those with a telling name; to be overridden."""
    return ()


@pytest.fixture
def http_public_names() -> tuple[str, ...]:
    """Names that look secret and are not, such as `next_page_token`; to be overridden."""
    return ()


@pytest.fixture
def recorded_http(
    request: pytest.FixtureRequest,
    http_secrets: tuple[str, ...],
    http_public_names: tuple[str, ...],
) -> Iterator[Path]:
    """Replay the HTTP of the test from its cassette, which is given; record it if asked to."""
    from connector.testing.cassettes import http_cassette

    name = re.sub(r"[^\w.-]+", "_", request.node.name)
    path = request.path.parent / "cassettes" / request.path.stem / f"{name}.yaml"
    record = request.config.getoption("record_http")
    with http_cassette(path, record, http_secrets, http_public_names):
        yield path


def _declarations_end() -> Iterator[None]:
    """Forget what a test, or a fixture of a wider scope, declares."""
    modules = set(sys.modules)
    before = None
    if not DECLARING.isdisjoint(modules):
        from connector.testing.isolation import Declared

        before = Declared.now()
    yield
    if not DECLARING.isdisjoint(sys.modules):
        from connector.testing.isolation import Declared

        (before or Declared()).restore(set(sys.modules) - modules)


# A fixture of a module or class declares before a test begins, and what it declares ends with it.
_module_declarations_end = pytest.fixture(autouse=True, scope="module")(_declarations_end)


@pytest.fixture(autouse=True, scope="class")
def _class_declarations_end(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.cls:
        yield from _declarations_end()
    else:  # pytest takes this scope for that of the one function, which has its own
        yield


@pytest.fixture(autouse=True)
def _test_declarations_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """The classes of a test, and of its fixtures, belong to the addon of its mark, and end."""
    mark = request.node.get_closest_marker("declared_in")
    if mark is None:
        yield from _declarations_end()
        return
    from connector.core.addon import declared_in as declare

    with declare(*mark.args):
        yield from _declarations_end()
