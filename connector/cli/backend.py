"""`connector backend`: the external systems that a database is kept in step with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from connector.cli.entry import open_servers
from connector.config import current
from connector.connector import ConnectorEnvironment
from connector.core import sql
from connector.exception import BackendError, ConfigurationError, UnknownModelError
from connector.session import ConnectorSessionHandler

SUPERUSER = 1


@click.group()
def backend() -> None:
    """Add and list backends."""


@backend.command()
@click.argument("model")
@click.argument("values", nargs=-1, metavar="FIELD=VALUE...")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="FIELD",
    help="Ask for this value: a command line can be read by anybody on the machine.",
)
def add(model: str, values: tuple[str, ...], secrets: tuple[str, ...]) -> None:
    """Make a backend record of MODEL."""
    given = dict(_pairs(values))
    for name in secrets:
        given[name] = _ask(name)
    with open_servers(current()), database_session().session() as session:
        if model not in {found._name for found in backend_models(session.env)}:
            raise UnknownModelError(
                f"{model!r} is no model of backends in {session.cr.dbname!r}; there are: "
                f"{_names(session.env)}. Install the addon that declares it."
            )
        record = session.env[model].create(given)
        told = f"{record.name}: {record.get_backend()}, {model} {record.id}"
    click.echo(told)


@backend.command("list")
def list_backends() -> None:
    """List the backends of the database."""
    with open_servers(current()), database_session().session() as session:
        for model in backend_models(session.env):
            for record in model.search([]):
                click.echo(f"{record.name}: {record.get_backend()}, {model._name} {record.id}")


def database_session() -> ConnectorSessionHandler:
    """Sessions of the superuser in the database of the configuration."""
    return ConnectorSessionHandler(current().db_name or sql.default_database(), SUPERUSER)


def backend_models(env: Any) -> list[Any]:
    """The models that records of backends are of."""
    names = env.registry.descendants(["connector.backend"], "_inherit")
    return [env[name] for name in sorted(names) if not env[name]._abstract]


def environment_of(session: Any, name: str, model_name: str) -> ConnectorEnvironment:
    """
    The connector environment of the backend called *name*, for a binding model.

    Raises:
        BackendError: no backend has that name, or several have.
        UnknownModelError: the binding model is not in this database.
    """
    records = [record for model in backend_models(session.env) for record in model.search([])]
    found = [record for record in records if record.name == name]
    if len(found) != 1:
        known = [record.name for record in records]
        raise BackendError(
            f"{len(found)} backends are called {name!r} in {session.cr.dbname!r} "
            f"(there are: {', '.join(known) or 'none'}). "
            "Add one with connector backend add, or give the name of one."
        )
    if model_name not in session.env.registry:
        bound = ", ".join(_binding_models(found[0])) or "none"
        raise UnknownModelError(
            f"No model {model_name!r} in the database {session.cr.dbname!r}. Models bound to "
            f"{name!r} are: {bound}. Install the addon that declares it, or give one of these."
        )
    return ConnectorEnvironment(found[0], session, model_name)


def _binding_models(backend_record: Any) -> list[str]:
    """The models whose records are bound to a backend like this."""
    env = backend_record.env
    links = {name: env[name]._fields.get("backend_id") for name in env.registry.models}
    return sorted(
        name
        for name, link in links.items()
        if getattr(link, "comodel_name", None) == backend_record._name and not env[name]._abstract
    )


def _ask(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _names(env: Any) -> str:
    return ", ".join(model._name for model in backend_models(env)) or "none"


def _pairs(values: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for value in values:
        name, sign, text = value.partition("=")
        if not sign:
            raise ConfigurationError(f"{value!r} is no FIELD=VALUE.")
        yield name, text
