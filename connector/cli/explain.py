"""`connector explain`: which units work on a model, why, and where each value comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from connector.backend import Backend
from connector.cli.backend import database_session, environment_of
from connector.cli.entry import open_servers
from connector.config import current
from connector.connector import ConnectorEnvironment, ExternalId, external_key
from connector.exception import NoConnectorUnitError
from connector.unit.explain import choices
from connector.unit.mapper import ExportMapper, ImportMapper, Mapper
from connector.unit.provenance import (
    TracedValue,
    export_values,
    import_values,
    sources,
)

#: A value longer than this is cut.
SHOWN_CHARACTERS = 200

ValuesOf = Callable[[ConnectorEnvironment, ExternalId], list[TracedValue]]


@click.command()
@click.argument("backend")
@click.argument("model")
@click.argument("external_id", required=False)
@click.pass_context
def explain(ctx: click.Context, backend: str, model: str, external_id: str | None) -> None:
    """
    Tell which class answers for each unit of MODEL on BACKEND, and what each field is made of.

    With EXTERNAL_ID that record is read and mapped, and each value is shown. Nothing is written,
    and no record that it needs is imported. The command fails when a field cannot be mapped.
    """
    if external_id is not None:
        external_key(external_id)
    with open_servers(current()), database_session().session() as session:
        connector_env = environment_of(session, backend, model)
        try:
            failed = _tell(connector_env, external_id)
        finally:
            session.cr.rollback()
    ctx.exit(1 if failed else 0)


def _tell(connector_env: ConnectorEnvironment, external_id: str | None) -> int:
    """Tell everything and give the number of fields that cannot be mapped."""
    record = connector_env.backend_record
    asked = ", then ".join(map(str, _lineage(connector_env.backend)))
    click.echo(f"{connector_env.model_name} on {record.name} ({record._name} {record.id}): {asked}")
    for choice in choices(connector_env):
        click.echo(str(choice))
        for line in choice.lines():
            click.echo(f"    {line}")
    failed = _tell_fields("import", ImportMapper, import_values, connector_env, external_id)
    failed += _tell_fields("export", ExportMapper, export_values, connector_env, external_id)
    if failed:
        fields = "field" if failed == 1 else "fields"
        click.echo(f"{failed} {fields} of {external_id!r} cannot be mapped.", err=True)
    return failed


def _lineage(backend: Backend | None) -> Iterator[Backend]:
    while backend is not None:
        yield backend
        backend = backend.parent


def _tell_fields(
    way: str,
    kind: type[Mapper],
    values_of: ValuesOf,
    connector_env: ConnectorEnvironment,
    external_id: str | None,
) -> int:
    try:
        mapper = connector_env.get_connector_unit(kind)
    except NoConnectorUnitError:
        if external_id is not None and kind is ImportMapper:
            raise
        return 0
    values = values_of(connector_env, external_id) if external_id is not None else []
    if external_id is not None and not values:
        return 0
    click.echo(f"Fields of an {way}:")
    for value in values:
        click.echo(f"    {_told(value)} <- {value.source}")
    if external_id is None:
        for source in sources(mapper):
            click.echo(f"    {source.target or '(what it returns)'} <- {source}")
    return sum(value.error is not None for value in values)


def _told(value: TracedValue) -> str:
    if value.error is not None:
        target = value.target or "(what it returns)"
        return f"{target}: {type(value.error).__name__}: {value.error}"
    shown = repr(value.value)
    if len(shown) > SHOWN_CHARACTERS:
        shown = f"{shown[:SHOWN_CHARACTERS]}... ({len(shown)} characters)"
    return f"{value.target} = {shown}"
