"""The three kinds of model that addons derive from, and the calls that do not fit elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any, ClassVar

from connector.core.exceptions import UserError, ValidationError
from connector.core.models.builder import build_model
from connector.core.models.onchange import Onchange
from connector.core.sql import errors

__all__ = ["AbstractModel", "BaseModel", "Model", "TransientModel"]

logger = logging.getLogger(__name__)

#: creations of transient records from one look at the old ones to the next
VACUUM_EVERY = 20
#: records deleted at one look
VACUUM_ROWS = 50


class BaseModel(Onchange):
    """What every model can do."""

    _register = False
    #: the last class that is no model: its names are taken on every record
    _is_framework = True
    _inherit: ClassVar[str | Sequence[str]] = ()
    _description: ClassVar[str | None] = None
    _sql_constraints: ClassVar[Sequence[tuple[str, str, str]]] = ()
    _natural_keys: ClassVar[Sequence[Sequence[str]]] = ()
    _parent_store: ClassVar[bool] = False
    _date_name: ClassVar[str] = "date"
    _sequence: ClassVar[str] = ""

    @classmethod
    def _build_model(cls, registry: Any, cr: Any) -> Any:
        """Add the class to the registry; returns the registry's class of the model."""
        return build_model(cls, registry)

    def default_get(self, fields_list: Iterable[str]) -> dict[str, Any]:
        """The defaults of fields, as ``create`` takes them."""
        found = {}
        for name in fields_list:
            field = self._field(name)
            key = f"default_{name}"
            if key in self.env.context:
                found[name] = self.env.context[key]
            elif field.default is not None:
                found[name] = field.to_write(field.default_value(self))
            elif field.inherited and field.related:
                parent = self.env[self._fields[field.related[0]].comodel_name]
                found.update(parent.default_get([field.related[-1]]))
        return found

    def fields_get(
        self, allfields: Iterable[str] | None = None, attributes: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """
        What there is to say of fields: type, label, help, relation ...

        By default of all that the user may see, and all that there is; an empty list means that.
        """
        wanted = set(allfields) if allfields else None
        kept = set(attributes) if attributes else None
        return {
            name: {
                key: value
                for key, value in field.description(self.env).items()
                if value is not None and (kept is None or key in kept)
            }
            for name, field in self._fields.items()
            if (wanted is None or name in wanted) and self._is_for_user(field)
        }

    def update(self, values: Mapping[str, Any]) -> None:
        """Assign several fields of each record."""
        for name, value in values.items():
            self[name] = value

    def copy_data(self, default: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values of a duplicate of the record, *default* in place of its own."""
        self.ensure_one()
        given = dict(default or {})
        for name, field in self._fields.items():
            if name in given or not field.copy or field.automatic or field.inherited:
                continue
            if (field.compute and not field.store) or (field.related and not field.inherited):
                continue
            if name in self._inherits.values():
                parent = self[name]
                given.update(
                    {k: v for k, v in parent.copy_data().items() if k in self._fields} | dict(given)
                )
            elif field.type == "one2many":
                given[name] = [
                    (0, 0, {k: v for k, v in line.copy_data().items() if k != field.inverse_name})  # type: ignore[attr-defined]
                    for line in self[name]
                ]
            else:
                given[name] = field.to_write(self[name])
        return given

    def copy(self, default: Mapping[str, Any] | None = None) -> Any:
        """A duplicate of the record, with its texts in all languages."""
        duplicate = self.create(self.copy_data(default))
        self._copy_translations(duplicate, set(default or ()))
        return duplicate

    def _copy_translations(self, duplicate: Any, given: Set[str] = frozenset()) -> None:
        """Take texts over in all languages, where *duplicate* has that of the one in use."""
        for name, field in self._fields.items():
            if name in given or not field.copy or field.inherited:
                continue
            if name in self._inherits.values():
                self[name]._copy_translations(duplicate[name], given)
            elif field.translate and field.is_column and duplicate[name] == self[name]:
                duplicate._put(field, self._known(field))
            elif field.type == "one2many" and not (field.compute or field.related):
                for line, made in zip(self[name], duplicate[name], strict=False):
                    line._copy_translations(made)

    def name_search(
        self, name: str = "", args: Sequence[Any] = (), operator: str = "ilike", limit: int = 100
    ) -> list[tuple[int, str]]:
        """Ids and names of records whose name compares with *name*."""
        domain = list(args or ())
        if name and self._rec_name:
            domain.append((self._rec_name, operator, name))
        return self.search(domain, limit=limit).name_get()  # type: ignore[no-any-return]

    def name_create(self, name: str) -> tuple[int, str]:
        """Make a record of a name alone; its id and name."""
        if not self._rec_name:
            raise UserError(f"Records of {self._name!r} have no name. Use create() with values.")
        return self.create({self._rec_name: name}).name_get()[0]  # type: ignore[no-any-return]

    def get_external_id(self) -> dict[int, str]:
        """The external id of each record, an empty text where there is none."""
        data = self.env["ir.model.data"].sudo()
        found = data.search([("model", "=", self._name), ("res_id", "in", self.ids)])
        names = {row.res_id: f"{row.module}.{row.name}" for row in found}
        return {id_: names.get(id_, "") for id_ in self.ids}

    get_xml_id = get_external_id

    def toggle_active(self) -> None:
        """Archive the records that are active, and the other way round."""
        for record in self:
            record["active"] = not record["active"]

    def _check_recursion(self, parent: str | None = None) -> bool:
        """Is every record free of being its own ancestor?"""
        name = parent or self._parent_name
        for record in self.sudo():
            seen, above = {record.id}, record[name]
            while above:
                if above.id in seen:
                    return False
                seen.add(above.id)
                above = above[name]
        return True


class AbstractModel(BaseModel):
    """A model without records, there for others to inherit from."""

    _register = False
    _auto = False
    _abstract = True
    _transient = False


class Model(AbstractModel):
    """A model whose records are rows of its table."""

    _register = False
    _auto = True
    _abstract = False
    _transient = False


class TransientModel(Model):
    """A model whose records are their creator's alone and are deleted after a while."""

    _register = False
    _auto = True
    _abstract = False
    _transient = True
    #: how long a record stays after it was last written
    _transient_max_hours: ClassVar[float] = 1.0
    _transient_creations: ClassVar[int] = 0

    def create(self, vals: Any) -> Any:
        """Make records; now and then, delete those that are forgotten."""
        cls: Any = type(self)
        cls._transient_creations += 1
        if cls._transient_creations % VACUUM_EVERY == 0:
            self._transient_vacuum()
        return super().create(vals)

    def _transient_vacuum(self) -> None:
        """Delete records that nobody wrote for hours, and that nothing needs."""
        if not self._log_access:
            return
        cr = self.env.cr
        limit = cr.now() - timedelta(hours=self._transient_max_hours)
        old = self.sudo().search([("write_date", "<", limit)], order="id", limit=VACUUM_ROWS)
        self.env.flush()  # an error of the caller's own writes is not for the block below
        for record in old:
            try:
                with cr.savepoint():
                    record.unlink()
            except ValidationError as error:
                logger.info("Old record kept", extra={"record": repr(record), "reason": str(error)})
            except errors.Error as error:
                if not errors.is_conflict(error):
                    raise
                return  # somebody else is at it
