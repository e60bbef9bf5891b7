"""The other side of the demo: a second database of ours, behind our own server."""

import secrets
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from connector.core import modules, sql
from connector.core.environment import Environment
from connector.core.registry import SUPERUSER_ID, Registry
from connector.embedded import Services
from connector.exception import ConnectorException
from connector_example.demo.child_process import environment, say_farewell

STOP_SECONDS = 35

COMPANIES = 20
CONTACTS = 4
COUNTRIES = ("base.be", "base.fr", "base.de", "base.it")
TAGS = ("Retail", "Wholesale", "Press")


def prepare(database: str) -> str:
    """
    Make the database with some partners in it, unless it is there.

    Returns a password for its administrator, a new one each time.
    """
    if not sql.database_exists(database):
        sql.create_database(database)
    modules.initialise(database)
    password = secrets.token_urlsafe()
    with Environment.manage(), Registry(database).cursor() as cr:
        env: Any = Environment(cr, SUPERUSER_ID, {})
        env["res.users"].browse(SUPERUSER_ID).write({"password": password})
        if not env["res.partner"].search_count([("ref", "=like", "demo %")]):
            _fill(env)
    # This process has no more to do there; the server's own connections are its own.
    Registry.delete(database)
    return password


def _fill(env: Any) -> None:
    """Companies with contacts, in some countries, tagged by a tree of tags."""
    root = env["res.partner.category"].create({"name": "Trade"})
    tags = env["res.partner.category"].create(
        [{"name": name, "parent_id": root.id} for name in TAGS]
    )
    countries = [env.ref(name).id for name in COUNTRIES]
    companies = env["res.partner"].create(
        [
            {
                "name": f"Record shop {number}",
                "ref": f"demo {number}",
                "is_company": True,
                "country_id": countries[number % len(countries)],
                "category_id": [(6, 0, [tags.ids[number % len(TAGS)]])],
            }
            for number in range(COMPANIES)
        ]
    )
    env["res.partner"].create(
        [
            {
                "name": f"Contact {number} of {company.name}",
                "ref": f"{company.ref}.{number}",
                "parent_id": company.id,
                "email": f"contact{number}@shop{company.id}.example.com",
            }
            for company in companies
            for number in range(CONTACTS)
        ]
    )


class OtherServer:
    """
    `connector serve` for one database, from `with` to the end of its block.

    Raises:
        ConnectorException: the process ends before it tells its address.
    """

    def __init__(self, services: Services, database: str) -> None:
        self._services = services
        self._database = database
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "connector.cli.main", "serve", "--stop-with-input"]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
            [*command, "--database", self._database, "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(self._services),
            # Ctrl-C is for the demo, which then ends the server.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().rpartition(" at ")[2].strip()
        if not self.url:
            raise ConnectorException(
                "The server of the other side did not start; what it said stands above. "
                "Is the extra installed: pip install 'connector[web]'?"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        say_farewell(self._process, STOP_SECONDS)
