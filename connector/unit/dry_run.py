"""What an import would do: it is done, compared with what is stored, and rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.connector import ConnectorEnvironment
from connector.exception import NoConnectorUnitError
from connector.session import ConnectorSession
from connector.unit.chunk import SLICE_RECORDS, ChunkImporter
from connector.unit.import_run import Key, Outcome

__all__ = ["Prediction", "predict"]

#: What the framework keeps about a record, beside the record itself.
BOOKKEEPING = frozenset(
    {
        *("id", "create_date", "create_uid", "write_date", "write_uid", "__last_update"),
        *("sync_date", "checksum", "backend_updated_at", "display_name"),
    }
)
#: Fields whose values are ids of other records.
MANY = frozenset({"one2many", "many2many"})


@dataclass
class Prediction:
    """What would become of one record."""

    model: str
    external_id: str
    outcome: str  #: an Outcome, or "failed" or "refused"
    #: field -> (value stored, value after the import)
    diff: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    reason: str = ""


def predict(
    connector_env: ConnectorEnvironment, records: Sequence[Any], stored: ConnectorSession
) -> Iterator[Prediction]:
    """
    Import records and give what became of each; the caller rolls the transaction back.

    *stored* is a session with a transaction of its own, which sees only what is committed.
    """
    for start in range(0, len(records), SLICE_RECORDS):
        try:
            importer = connector_env.get_connector_unit(ChunkImporter)
        except NoConnectorUnitError:
            importer = ChunkImporter(connector_env)
        result = importer.run(records[start : start + SLICE_RECORDS])
        connector_env.env.cr.transaction.flush()
        model = connector_env.model_name
        yield from _told(importer, stored)
        for external_id, reason in result.poisoned.items():
            yield Prediction(model, external_id, "failed", reason=reason)
        for record in result.refused:
            external_id = str(importer.backend_adapter.external_id_of(record))
            yield Prediction(model, external_id, "refused", reason="another job imports it")
        for _ in result.nameless:
            yield Prediction(model, "", "failed", reason="the record has no external id")


def _told(importer: ChunkImporter, stored: ConnectorSession) -> Iterator[Prediction]:
    for key, outcome in importer.import_run.outcomes.items():
        prediction = Prediction(*key, outcome.value)
        if outcome in (Outcome.CREATED, Outcome.UPDATED):
            prediction.diff = _diff(importer, key, stored)
        yield prediction


def _diff(
    importer: ChunkImporter, key: Key, stored: ConnectorSession
) -> dict[str, tuple[Any, Any]]:
    model, external_id = key
    binder = importer.binder_for(model)
    domain = [
        (binder._backend_field, "=", importer.backend_record.id),
        (binder._external_field, "=", external_id),
    ]
    after = _values(importer.env[model], domain)
    before = _values(stored.env[model], domain)
    return {
        name: (before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value and (before or value not in (False, None, "", 0, ()))
    }


def _values(model: Any, domain: Iterable[Any]) -> dict[str, Any]:
    record = model.with_context(active_test=False).search(list(domain))
    values: dict[str, Any] = {}
    for name, definition in model._fields.items() if record else ():
        if name in BOOKKEEPING:
            continue
        value = record[name]
        if definition.type == "many2one":
            value = value.display_name if value else False
        elif definition.type in MANY:
            value = tuple(value.mapped("display_name"))
        values[name] = value
    return values
