"""
`connector demo --odoo`: partners from a server and back, each one compared with its source.

    import      everything, then nothing, then only what was changed there
    export      a change of ours, and a partner of ours that is new there
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector.exception import ConnectorException
from connector.rpc import Odoo
from connector.session import ConnectorSession
from connector_example.demo.database import handler, install, reserved
from connector_example.demo.other_side import OtherServer, prepare
from connector_example.demo.workers import Workers
from connector_example.odoo.importer import import_partners
from connector_example.odoo.mapper import PARTNER

OK, FAILED = 0, 1
PASSWORD_VARIABLE = "CONNECTOR_DEMO_ODOO_PASSWORD"  # noqa: S105 - the name of a variable
BACKEND = "Other side"
POLL_SECONDS = 0.1
STALLED_SECONDS = 90

ENDED = ("done", "failed", "cancelled")

COMPARED = ("name", "ref", "email", "is_company", "parent_id", "country_id", "category_id")

_JOBS = """
SELECT state, name, exc_message, result FROM queue_job WHERE id > %s AND model_name LIKE 'odoo.%%'
"""


@dataclass(frozen=True)
class Target:
    """The server that partners come from and go to."""

    url: str
    database: str
    login: str
    password: str
    #: whether the demo may change records there
    writes: bool

    def client(self) -> Odoo:
        return Odoo(self.url, db=self.database, login=self.login, password=self.password)


def target_from(url: str, database: str | None, login: str) -> Target:
    """A server of the user's, whose password comes from the environment or the terminal."""
    if not database:
        raise click.UsageError("--odoo-url needs --odoo-database too.")
    password = os.environ.get(PASSWORD_VARIABLE) or click.prompt(
        f"Password or API key of {login}", hide_input=True, err=True
    )
    return Target(url, database, login, password, writes=False)


def run_demo(database: str, workers: int, target: Target | None) -> int:
    """Import from *target*, or from a database of our own behind our server; the exit status."""
    console = Console(highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        with _step(console, "servers"):
            services = stack.enter_context(open_servers(config.current()))
            stack.enter_context(reserved(database))
        with _step(console, f"database {database}"):
            install(database)
        log = config.current().home / "demo" / f"{database}.workers.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        crew = stack.enter_context(Workers(services, database, workers, log))
        if target is None:
            other = f"{database}_odoo"
            with _step(console, f"database {other}, and its server"):
                password = prepare(other)
                server = stack.enter_context(OtherServer(services, other))
            target = Target(server.url, other, "admin", password, writes=True)
        client = stack.enter_context(target.client())
        demo = _Demo(console, database, crew, target, client)
        return demo.run()


class _Demo:
    """One run, with what every part of it needs."""

    def __init__(
        self, console: Console, database: str, crew: Workers, target: Target, client: Odoo
    ) -> None:
        self._console = console
        self._database = database
        self._crew = crew
        self._target = target
        self._client = client
        self._failures = 0

    def run(self) -> int:
        with handler(self._database).session() as session:
            backend_id = _set_backend(session, self._target)
            if cancelled := _cancel_left_over(session, backend_id):
                self._console.print(f"{cancelled} jobs of an interrupted run are cancelled")
        self._import("import", backend_id)
        self._compare(backend_id)
        self._import("import again", backend_id)
        if self._target.writes:
            self._change_there()
            self._import("import of what was changed there", backend_id)
            self._compare(backend_id)
            self._export(backend_id)
        return FAILED if self._failures else OK

    # -- parts -------------------------------------------------------------------------------

    def _import(self, name: str, backend_id: int) -> None:
        with self._jobs(name), handler(self._database).session() as session:
            import_partners(session, backend_id)

    def _change_there(self) -> None:
        ids = self._client.search("res.partner", [("ref", "=like", "demo %")], limit=5)
        stamp = time.strftime("%H:%M:%S")
        for id_ in ids:
            self._client.write("res.partner", [id_], {"comment": f"Changed at {stamp}"})
        self._console.print(f"the other side has changed {len(ids)} partners")

    def _export(self, backend_id: int) -> None:
        name = f"Partner of ours, {time.strftime('%Y-%m-%d %H:%M:%S')}"
        with self._jobs("export"), handler(self._database).session() as session:
            bindings = session.env[PARTNER]
            known = bindings.search([("backend_id", "=", backend_id), ("ref", "=like", "demo %")])
            known[:1].openerp_id.write({"function": name})
            made = bindings.create({"backend_id": backend_id, "name": name})
            written, made_id = known[:1].external_id, made.id
        with handler(self._database).session() as session:
            new = session.env[PARTNER].browse(made_id).external_id
        ids = [int(id_) for id_ in (written, new) if id_]
        rows = self._client.read("res.partner", ids, ["name", "function"])
        arrived = [row for row in rows if name in (row["name"], row["function"])]
        self._tell_check("partners of ours compared with the other side", 2, 2 - len(arrived))

    def _compare(self, backend_id: int) -> None:
        """Compare every partner of the other side with the one here."""
        context = {"active_test": False}
        rows = self._client.iter_records("res.partner", fields=COMPARED, context=context)
        theirs = {str(row["id"]): row for row in rows}
        with handler(self._database).session() as session:
            found = _ours(session, backend_id)
        wrong = [id_ for id_, row in theirs.items() if found.get(id_) != _plain(row)]
        for id_ in wrong[:10]:
            self._console.print(f"  partner {id_} differs: {_plain(theirs[id_])} {found.get(id_)}")
        self._tell_check("partners compared with the other side", len(theirs), len(wrong))

    def _tell_check(self, what: str, compared: int, wrong: int) -> None:
        self._failures += wrong
        self._console.print(f"{compared} {what}: {wrong or 'no'} differences")

    # -- jobs --------------------------------------------------------------------------------

    @contextmanager
    def _jobs(self, name: str) -> Iterator[None]:
        """Enqueue in the block, then wait until all jobs have ended, and tell what they did."""
        with sql.connect(self._database).cursor(sql.READ_COMMITTED) as cr:
            cr.execute("SELECT coalesce(max(id), 0) FROM queue_job")
            before = cr.fetchone()[0]
        start = time.monotonic()
        yield
        jobs = self._ended(before)
        failed = [job for job in jobs if job["state"] != "done"]
        told = f"{name}: {time.monotonic() - start:.1f} s, {len(jobs)} jobs"
        self._console.print(f"{told}{_outcomes(jobs)}")
        for job in failed:
            self._console.print(f"  {job['state']}: {job['name']}: {job['exc_message']}")
        self._failures += len(failed)

    def _ended(self, before: int) -> list[dict[str, Any]]:
        """
        Raises:
            ConnectorException: nothing moves any more.
        """
        last: Counter[str] = Counter()
        moved = time.monotonic()
        while True:
            self._crew.check()
            with sql.connect(self._database).cursor(sql.READ_COMMITTED) as cr:
                cr.execute(_JOBS, (before,))
                jobs = cr.dictfetchall()
            states = Counter(job["state"] for job in jobs)
            if jobs and set(states) <= set(ENDED):
                return jobs
            if states != last:
                last, moved = states, time.monotonic()
            elif time.monotonic() - moved > STALLED_SECONDS:
                raise ConnectorException(
                    f"Nothing has moved for {STALLED_SECONDS} seconds; the jobs are kept. "
                    f"See why: connector jobs list -d {self._database}"
                )
            time.sleep(POLL_SECONDS)


def _set_backend(session: ConnectorSession, target: Target) -> int:
    """Say where the server is now; the same record for the same database."""
    values = {"location": target.url, "login": target.login, "password": target.password}
    backends = session.env["odoo.backend"]
    backend = backends.search([("database", "=", target.database)], limit=1)
    if backend:
        backend.write(values)
    else:
        named = {"name": f"{BACKEND} {target.database}", "database": target.database}
        backend = backends.create({**named, **values})
    return int(backend.id)


def _cancel_left_over(session: ConnectorSession, backend_id: int) -> int:
    """Cancel what an interrupted run has left, and begin from the beginning if there is any."""
    domain = [("model_name", "like", "odoo.%"), ("state", "not in", list(ENDED))]
    jobs = session.env["queue.job"].search(domain)
    if jobs:
        jobs.button_cancelled()
        session.env["odoo.backend"].browse(backend_id).write({"import_since": False})
    return len(jobs)


def _ours(session: ConnectorSession, backend_id: int) -> dict[str, dict[str, Any]]:
    """What is compared of each bound partner, with the ids of the other side."""
    bindings = session.env[PARTNER].with_context(active_test=False)
    found = bindings.search([("backend_id", "=", backend_id), ("external_id", "!=", False)])
    ids = {binding.openerp_id.id: binding.external_id for binding in found}
    return {
        binding.external_id: {
            **{name: binding[name] or False for name in ("name", "ref", "email", "is_company")},
            "parent": ids.get(binding.parent_id.id, False),
            "country": binding.country_id.name or False,
            "tags": len(binding.category_id),
        }
        for binding in found
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared of a partner of the other side."""
    return {
        **{name: row[name] or False for name in ("name", "ref", "email", "is_company")},
        "parent": str(row["parent_id"][0]) if row["parent_id"] else False,
        "country": row["country_id"] and row["country_id"][1],
        "tags": len(row["category_id"]),
    }


def _outcomes(jobs: list[dict[str, Any]]) -> str:
    """What became of the records, as the results of the jobs say."""
    total: Counter[str] = Counter()
    for job in jobs:
        if job["state"] != "done" or not (job["result"] or "").startswith("{"):
            continue  # an export says what it did in words
        result = json.loads(job["result"])
        for outcomes in (result.get("counts") or {}).values():
            total.update(outcomes)
    return "".join(f", {number} {outcome}" for outcome, number in sorted(total.items()))


@contextmanager
def _step(console: Console, name: str) -> Iterator[None]:
    """Tell how long a part took."""
    start = time.monotonic()
    yield
    console.print(f"{name}: {time.monotonic() - start:.1f} s")
