"""`connector explain`: which units work on a model, why, and where each value comes from."""

from __future__ import annotations

import click

from connector.cli.backend import database_session, environment_of
from connector.cli.entry import open_servers
from connector.config import current
from connector.connector import ConnectorEnvironment
from connector.exception import NoConnectorUnitError
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.explain import choices, sources, values_of
from connector.unit.mapper import ImportMapper


@click.command()
@click.argument("backend")
@click.argument("model")
@click.argument("external_id", required=False)
def explain(backend: str, model: str, external_id: str | None) -> None:
    """
    Tell which class answers for each unit of MODEL on BACKEND, and what each field is made of.

    With EXTERNAL_ID that record is read and mapped, and each value is shown. Nothing is written.
    """
    with open_servers(current()), database_session().session() as session:
        connector_env = environment_of(session, backend, model)
        for choice in choices(connector_env):
            click.echo(f"{choice.role}: {choice.chosen}")
            for candidate in choice.candidates:
                click.echo(f"    {candidate}")
        _tell_fields(connector_env, external_id)
        session.cr.rollback()


def _tell_fields(connector_env: ConnectorEnvironment, external_id: str | None) -> None:
    try:
        mapper = connector_env.get_connector_unit(ImportMapper)
    except NoConnectorUnitError:
        return
    click.echo("Fields:")
    if external_id is None:
        for source in sources(mapper):
            target = source.target or "(what it returns)"
            click.echo(f"    {target} <- {source.source}, {source.function}  {source.place}")
        return
    record = connector_env.get_connector_unit(CRUDAdapter).read(external_id)
    binding = mapper.binder_for().to_openerp(external_id)
    for source, (name, value) in values_of(mapper, record, for_create=not binding):
        told = f"{source.source}, {source.function}  {source.place}"
        click.echo(f"    {name} = {value!r} <- {told}")
