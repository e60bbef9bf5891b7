"""What an import would do: it is done, compared with what is stored, and rolled back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from connector.connector import Binder, ConnectorEnvironment, external_key
from connector.exception import RetryableJobError
from connector.record_lock import held_locks
from connector.session import ConnectorSession, checkpoints_by
from connector.unit.batch import unit_of
from connector.unit.chunk import SLICE_RECORDS, ChunkImporter, is_of_a_record
from connector.unit.import_run import ImportRun, Key, Outcome
from connector.unit.importer import RecordImporter
from connector.unit.patience import Patience

__all__ = ["DryRun", "Prediction"]

#: What the framework keeps about a record, beside the record itself.
BOOKKEEPING = frozenset(
    {
        *("id", "create_date", "create_uid", "write_date", "write_uid", "__last_update"),
        *("sync_date", "checksum", "backend_updated_at", "display_name"),
    }
)

#: Values that a new record has where nothing is mapped.
EMPTY: tuple[Any, ...] = (False, None, "", 0, set())

#: Field -> (value stored, value after the import).
Diff = dict[str, tuple[Any, Any]]


@dataclass
class Prediction:
    """What would become of one record."""

    model: str
    external_id: str
    outcome: str  #: an Outcome, or "failed" or "refused"
    diff: Diff = field(default_factory=dict)
    reason: str = ""


class DryRun:
    """
    Imports pages or single records in one transaction, which the caller rolls back.

    Locks are held for as many records as an import holds them for at once; then all is undone, and
    what a page before has made is made again where a later one needs it.  *stored* is a session
    with a transaction of its own, which sees only what is committed.
    """

    def __init__(self, connector_env: ConnectorEnvironment, stored: ConnectorSession) -> None:
        self._connector_env = connector_env
        self._stored = stored
        self._told: dict[Key, Prediction] = {}
        self._patience = Patience(math.inf)
        #: What records that are new have been read as, so that none is asked for again.
        self._records: dict[Key, Any] = {}

    def of_page(self, records: Sequence[Any]) -> list[Prediction]:
        """Give what would become of the records of a page, and of what they need."""
        told: list[Prediction] = []
        for start in range(0, len(records), SLICE_RECORDS):
            part = records[start : start + SLICE_RECORDS]
            told += self._looked(partial(self._import_page, part))
        return told

    def of_record(self, external_id: str) -> list[Prediction]:
        """Give what would become of one record, read by its id, and of what it needs."""
        model = self._connector_env.model_name
        try:
            return self._looked(partial(self._import_record, external_id))
        except Exception as error:
            if not is_of_a_record(error):
                raise
            if isinstance(error, RetryableJobError):
                return [Prediction(model, external_id, "refused", reason=str(error))]
            reason = f"{type(error).__name__}: {error}"
            return [Prediction(model, external_id, "failed", reason=reason)]

    # -- imports -----------------------------------------------------------------------------

    def _import_page(self, records: Sequence[Any]) -> Iterator[Prediction]:
        importer = unit_of(self._connector_env, ChunkImporter, ChunkImporter)
        run = self._prepared(importer.import_run)
        result = importer.run(records, set_aside=True)
        yield from self._outcomes(run)
        model = self._connector_env.model_name
        for external_id, reason in result.poisoned.items():
            yield Prediction(model, external_id, "failed", reason=reason)
        for record in result.refused:
            external_id = external_key(importer.backend_adapter.external_id_of(record))
            yield Prediction(model, external_id, "refused", reason="another job imports it")
        for _ in result.nameless:
            yield Prediction(model, "", "failed", reason="the record has no external id")

    def _import_record(self, external_id: str) -> Iterator[Prediction]:
        importer = self._connector_env.get_connector_unit(RecordImporter)
        run = self._prepared(importer.import_run)
        self._patience.read(lambda: importer.run(external_id))
        yield from self._outcomes(run)

    def _prepared(self, run: ImportRun) -> ImportRun:
        run.patience = self._patience
        run.records.update(self._records)
        return run

    def _looked(self, work: Callable[[], Iterator[Prediction]]) -> list[Prediction]:
        """Do an import and give what is news of it; undo all when it holds many locks."""
        session = self._connector_env.session
        self._stored.rollback()  # look at what is committed by now
        # A hook that asks for a commit gets its writes sent, and nothing is committed.
        flush = session.cr.transaction.flush
        with (
            session.change_context(connector_dry_run=True),
            checkpoints_by(session.cr, flush),
            session.cr.savepoint(),
        ):
            found = list(work())
        if len(held_locks(session.cr)) >= SLICE_RECORDS:
            session.rollback()
        return [prediction for prediction in found if self._is_news(prediction)]

    def _is_news(self, prediction: Prediction) -> bool:
        """Say whether it is not told yet: later pages make again what they need."""
        key = (prediction.model, prediction.external_id)
        known = self._told.get(key)
        if prediction == known or (known and not prediction.diff and not prediction.reason):
            return False
        self._told[key] = prediction
        return True

    # -- what came of it ---------------------------------------------------------------------

    def _outcomes(self, run: ImportRun) -> Iterator[Prediction]:
        self._connector_env.env.cr.transaction.flush()
        for key, outcome in run.outcomes.items():
            prediction = Prediction(*key, outcome.value)
            if outcome in (Outcome.CREATED, Outcome.UPDATED):
                prediction = self._compared(prediction)
            if outcome is Outcome.CREATED and key in run.records:
                self._records[key] = run.records[key]
            yield prediction

    def _compared(self, prediction: Prediction) -> Prediction:
        """Give a prediction with its diff; what no import has committed is created."""
        key = (prediction.model, prediction.external_id)
        binder = unit_of(self._connector_env, RecordImporter, RecordImporter).binder_for(key[0])
        before = self._values(self._stored.env, binder, key)
        after = self._values(self._connector_env.env, binder, key)
        diff = {
            name: (before[name][1] if before else None, told)
            for name, (value, told) in after.items()
            if (value != before[name][0] if before else value not in EMPTY)
        }
        outcome = prediction.outcome if before else Outcome.CREATED.value
        return replace(prediction, outcome=outcome, diff=diff)

    def _values(self, env: Any, binder: Binder, key: Key) -> dict[str, tuple[Any, Any]]:
        """
        Give the values of a record by field, to compare and to tell.

        Another record is compared by its id, because its name may change in the same run, and
        told by its name.  The values of lines are told with the lines.
        """
        domain = [
            (binder._backend_field, "=", binder.backend_record.id),
            (binder._external_field, "=", key[1]),
        ]
        record = env[key[0]].with_context(active_test=False).search(domain)
        return {
            name: self._compared_and_told(record[name], definition.type)
            for name, definition in (record._fields.items() if record else ())
            if name not in BOOKKEEPING and definition.type != "one2many"
        }

    def _compared_and_told(self, value: Any, kind: str) -> tuple[Any, Any]:
        if kind == "many2one":
            return value.id, self._label(value) if value else False
        if kind == "many2many":
            return set(value.ids), tuple(sorted(map(self._label, value)))
        return value, value

    def _label(self, record: Any) -> str:
        """Name a record, one that is new not by its id: the next run gives another."""
        name = str(record.display_name)
        is_unnamed = name == f"{record._name},{record.id}"
        if is_unnamed and not self._stored.env[record._name].browse(record.id).exists():
            external_id = record.external_id if "external_id" in record._fields else ""
            return f"new {record._name} {external_id or ''}".rstrip()
        return name
