"""A server of the external API in a process of its own, as `connector serve` starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from connector.core import sql
from connector.core.environment import Environment
from connector.core.registry import Registry
from connector.embedded import Services
from connector.server_url import with_parameters
from connector.testing import templates

MASTER = "mäster pa$$"
PASSWORD = "s3cret of admin"
OTHER_PASSWORD = "pässword of the clerk"


@dataclass
class Server:
    """A running server."""

    url: str
    database: str
    process: subprocess.Popen[str]
    password: str = PASSWORD
    clerk_password: str = OTHER_PASSWORD
    master: str = MASTER

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def answer(self, service: str, method: str, *args: Any) -> Any:
        """The whole answer to a call of JSON-RPC."""
        params = {"service": service, "method": method, "args": list(args)}
        return self.post("/jsonrpc", params)

    def post(self, path: str, params: Any, client: Any = requests) -> Any:
        payload = {"jsonrpc": "2.0", "method": "call", "params": params, "id": "an id"}
        return client.post(self.url + path, json=payload, timeout=60).json()

    def result(self, service: str, method: str, *args: Any) -> Any:
        answer = self.answer(service, method, *args)
        assert "error" not in answer, answer["error"]
        return answer.get("result")

    def error(self, service: str, method: str, *args: Any) -> Any:
        """The error that a call must give."""
        return self.answer(service, method, *args)["error"]

    def execute(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """The result of a method of a model, called by the administrator."""
        return self.result(
            "object", "execute_kw", self.database, 1, PASSWORD, model, method, list(args), kwargs
        )

    def refused(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """The data of the error that a method of a model must give."""
        arguments = (self.database, 1, PASSWORD, model, method, list(args), kwargs)
        return self.error("object", "execute_kw", *arguments)["data"]


def prepare(name: str) -> None:
    """Give a database its administrator's password, and a clerk without any rights to write."""
    with Environment.manage(), Registry(name).cursor() as cr:
        env = Environment(cr, 1, {})
        env["res.users"].browse(1).write({"password": PASSWORD})
        clerk = {"name": "Clerk", "login": "clerk", "password": OTHER_PASSWORD}
        group = env.ref("base.group_user").id
        env["res.users"].create({**clerk, "groups_id": [(6, 0, [group])]})


@contextmanager
def serving(services: Services, database: str, *options: str, **variables: str) -> Iterator[Server]:
    """Run `connector serve` meanwhile."""
    url = with_parameters(services.database_url, database, {})
    command = [sys.executable, "-m", "connector.cli.main", "serve", "--port", "0", *options]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": services.redis_url,
        **variables,
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert " at http" in line, f"the server did not start: {line!r}"
            yield Server(line.rpartition(" at ")[2].strip(), database, process)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def served_database(servers: Services) -> Iterator[str]:
    """A database that the tests of one run share."""
    name = templates.copy_of_template(("base",))
    prepare(name)
    yield name
    templates.drop_copy(name)


@pytest.fixture(scope="session")
def server(servers: Services, served_database: str) -> Iterator[Server]:
    """A server that manages databases."""
    managing = {"CONNECTOR_LIST_DB": "1", "CONNECTOR_ADMIN_PASSWD": MASTER}
    with serving(servers, served_database, **managing) as running:
        yield running


@pytest.fixture
def serve_database(servers: Services) -> Callable[..., AbstractContextManager[Server]]:
    """Runs `connector serve` for a database."""
    return partial(serving, servers)


@pytest.fixture
def new_name() -> Iterator[Callable[[], str]]:
    """Gives names of databases that are dropped when the test ends."""
    names: list[str] = []

    def new() -> str:
        names.append(f"test_making_{os.getpid()}_{900 + len(names)}")
        return names[-1]

    yield new
    for name in names:
        Registry.delete(name)
        sql.drop_database(name)


@pytest.fixture
def password() -> str:
    """The administrator's password."""
    return PASSWORD


@pytest.fixture
def clerk_password() -> str:
    """The password of the user `clerk`."""
    return OTHER_PASSWORD


@pytest.fixture
def master() -> str:
    """The master password."""
    return MASTER


@pytest.fixture
def strict_server(servers: Services, served_database: str) -> Iterator[Server]:
    """A server with narrow limits, that manages no databases."""
    options = ("--max-time", "1.5", "--max-request", "1")
    with serving(servers, served_database, *options) as running:
        yield running


@pytest.fixture
def fresh_server(servers: Services, served_database: str) -> Iterator[Server]:
    """A server at which nobody has tried a password yet."""
    with serving(servers, served_database) as running:
        yield running
