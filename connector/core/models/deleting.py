"""Deleting: records that go, what goes with them, and what has to be made anew without them."""

from __future__ import annotations

from connector.core.exceptions import MissingError
from connector.core.models.broken import explained
from connector.core.models.linking import Linking
from connector.core.models.writing import ACCESS_MODELS
from connector.core.query import array_literal, identifier

__all__ = ["Deleting"]


class Deleting(Linking):
    """What unlink does."""

    _register = False

    def unlink(self) -> bool:
        """
        Delete the records; always True. What waits to be written on them is dropped.

        Raises:
            AccessError: the user may not delete one of them.
            ValidationError: records that must not lose them still link to them.
        """
        if not self._ids:
            return True
        self.check_access_rights("unlink")
        if self.env.uid != 1:
            self._check_records("unlink")
        transaction, ids = self.env.transaction, self.ids
        transaction.cr.check_owner()
        self._drop_waiting(ids)
        transaction.flush()
        self._signal_deleted(ids)
        for field in self._fields.values():
            for id_ in ids if field in transaction.todo else ():
                transaction.todo[field].pop(id_, None)
        self._delete_rows(ids)
        self._forget_unlinked(ids)
        transaction.deleted[self._name].update(ids)
        if self._name in ACCESS_MODELS:
            transaction.change_rights()
        return True

    def _drop_waiting(self, ids: list[int]) -> None:
        """Take back updates of the records: those that nothing else looks at, or of no row."""
        transaction = self.env.transaction
        dirty = [field for field in self._fields.values() if transaction.dirty.get(field)]
        if not dirty:
            return
        watched = [field for field in dirty if field in self._writing_plan().watched]
        transaction.drop_updates([f for f in dirty if f not in watched], ids)
        if any(id_ in transaction.dirty.get(field, ()) for field in watched for id_ in ids):
            gone = (self - self.exists()).ids
            transaction.drop_updates(watched, gone)
            self._forget_unlinked(gone)

    def _signal_deleted(self, ids: list[int]) -> None:
        triggers = self._triggers()
        try:
            triggers.deleted(self.env, self._name, ids)
        except MissingError:
            # Another transaction deleted some of them: what is left has to be told of.
            triggers.deleted(self.env, self._name, self.exists().ids)

    def _delete_rows(self, ids: list[int]) -> None:
        cr = self.env.cr
        with explained(self.env.transaction, type(self), ids):
            cr.execute_unflushed(
                f"DELETE FROM {identifier(self._table)} WHERE id = ANY(%s::int[])",  # noqa: S608
                (array_literal(ids),),
            )
        if "ir.model.data" in self.env.registry.models and self._name != "ir.model.data":
            data = self.env["ir.model.data"].sudo()
            data.search([("model", "=", self._name), ("res_id", "in", ids)]).unlink()

    def _forget_unlinked(self, ids: list[int]) -> None:
        """Forget the records, and all that the database deleted or emptied along with them."""
        transaction = self.env.transaction
        for field in self._fields.values():
            values = transaction.values[field]
            for id_ in ids:
                values.pop(id_, None)
        self._forget_keys(ids)
        transaction.forget_allowed()
        models = self.env.registry.models
        reached, waiting = {self._name}, [self._name]
        while waiting:
            gone = waiting.pop()
            for model_class in models.values():
                for field in model_class._fields.values():
                    if field.comodel_name != gone or not field.relational:
                        continue
                    transaction.forget(field)
                    cascades = field.type == "many2one" and field.ondelete == "cascade"
                    if cascades and model_class._name not in reached:
                        reached.add(model_class._name)
                        waiting.append(model_class._name)
                        transaction.forget_model(model_class)
                        for names in model_class._natural_keys:
                            transaction.keys.pop((model_class._name, names), None)
