"""Tables: brings a model's table to the shape of its fields, by adding and widening only."""

from __future__ import annotations

import logging
from typing import Any

from connector.core import sql
from connector.core.exceptions import ModelDefinitionError
from connector.core.fields import Field
from connector.core.models.access import Access
from connector.core.models.broken import constraint_name
from connector.core.query import identifier
from connector.core.sql import errors, schema

__all__ = ["Tables", "index_name"]

#: columns that a translated text may come from, and go back to
TEXTS = frozenset({"varchar", "text"})

logger = logging.getLogger(__name__)


class Tables(Access):
    """What ``_auto_init`` does. Columns of removed fields stay; they lose NOT NULL only."""

    _register = False

    def _auto_init(self) -> None:
        """Create or update the table, its columns, indexes and constraints."""
        cls: Any = type(self)
        if not cls._auto or cls._abstract:
            return
        cr = self.env.cr
        created = not schema.table_exists(cr, cls._table)
        if created:
            columns = [
                (f.name, f"{f.column_type} NOT NULL" if f.not_null else str(f.column_type))
                for f in self._columns()
            ]
            schema.create_table(cr, cls._table, cls._description, columns)
            present = schema.table_columns(cr, cls._table)
        else:
            present = schema.table_columns(cr, cls._table)
            self._update_columns(present)
        registry = self.env.registry
        for field in self._columns():
            if field.index:
                schema.create_index(cr, index_name(cls._table, field), cls._table, [field.name])
        for field in cls._fields.values():
            if field.type == "many2many" and field.store:
                registry.post_init(self._add_relation, field)
        registry.post_init(self._add_foreign_keys)
        registry.post_init(self._add_constraints)
        self._free_removed(present)

    def _columns(self) -> list[Field]:
        return [field for field in self._fields.values() if field.is_column]

    def _update_columns(self, present: dict[str, schema.Column]) -> None:
        cr, table = self.env.cr, self._table
        added = [f for f in self._columns() if f.name not in present]
        for field in self._columns():
            if field.name in present and self._change_type(field, present[field.name]):
                added.append(field)
        schema.add_columns(cr, table, [(f.name, str(f.column_type)) for f in added])
        for field in added:
            self._fill_column(field)
        self._require_columns(present)

    def _change_type(self, field: Field, present: schema.Column) -> bool:
        """Bring a column to the field's type; True where it was moved aside and is to be made."""
        if _holds_all(present, field) or self._convert(field, present):
            return False
        moved = schema.move_column_aside(self.env.cr, self._table, field.name)
        logger.warning(
            "Column of another type kept under another name",
            extra={"field": repr(field), "column": moved},
        )
        return True

    def _convert(self, field: Field, present: schema.Column) -> bool:
        """Change the type in place where no value is lost by it; was it?"""
        wanted = _widened(present, field)
        kind = wanted.partition("(")[0]
        value: str | None = None
        if field.translate and present.type in TEXTS:
            value = "CASE WHEN {0} IS NOT NULL THEN jsonb_build_object('en_US', {0}) END"
        elif kind in TEXTS and present.type == "jsonb" and self._was_translated(field):
            self._keep_languages(field)
            value = "{0} ->> 'en_US'"
        elif present.type != kind and (present.type, kind) not in schema.SAFE_TYPE_CHANGES:
            return False
        try:
            with self.env.cr.savepoint():
                schema.convert_column(self.env.cr, self._table, field.name, wanted, value)
        except (errors.DataError, errors.IntegrityError):
            return False  # some value does not fit
        return True

    def _keep_languages(self, field: Field) -> None:
        """A text that is translated no more keeps the other languages in a column aside."""
        cr, column = self.env.cr, identifier(field.name)
        cr.execute(
            f"SELECT 1 FROM {identifier(self._table)}"  # noqa: S608 - quoted names
            f" WHERE {column} - 'en_US' <> '{{}}'::jsonb LIMIT 1"
        )
        if cr.fetchone():
            copy = schema.copy_column_aside(cr, self._table, field.name)
            logger.warning(
                "Texts in other languages kept under another name",
                extra={"field": repr(field), "column": copy},
            )

    def _was_translated(self, field: Field) -> bool:
        cr = self.env.cr
        cr.execute(
            "SELECT translate FROM ir_model_fields WHERE model = %s AND name = %s",
            (self._name, field.name),
        )
        return any(translated for (translated,) in cr.fetchall())

    def _fill_column(self, field: Field) -> None:
        """Give the rows that are there the default of a new column, or have it computed."""
        cr, table = self.env.cr, self._table
        if field.compute or field.related:
            if field.store:
                self.env.registry.post_init(self._compute_all, field)
            return
        if field.default is not None:
            value = field.to_cache(field.to_write(field.default_value(self)), self)
        else:
            value = field.missing if field.required else None
        if value is not None:
            cr.execute(
                f"UPDATE {identifier(table)} SET {identifier(field.name)}"  # noqa: S608
                f" = %s::{field.column_type}",
                field.as_text([value]),
            )

    def _compute_all(self, field: Field) -> None:
        cr = self.env.cr
        cr.execute(f"SELECT id FROM {identifier(self._table)}")  # noqa: S608 - quoted name
        ids = [id_ for (id_,) in cr.fetchall()]
        self.env.transaction.todo[field].update(dict.fromkeys(ids))

    def _require_columns(self, present: dict[str, schema.Column]) -> None:
        cr, table = self.env.cr, self._table
        for field in self._columns():
            known = present.get(field.name)
            if field.not_null and (known is None or known.nullable):
                try:
                    with cr.savepoint():
                        schema.set_not_null(cr, table, field.name)
                except errors.IntegrityError:
                    logger.warning(
                        "Rows lack a value that the field requires; column stays optional",
                        extra={"field": repr(field)},
                    )
            elif not field.not_null and known and not known.nullable:
                schema.drop_not_null(cr, table, field.name)

    def _free_removed(self, present: dict[str, schema.Column]) -> None:
        for name, column in present.items():
            # A custom field may come with an addon that is loaded later.
            known = name in self._fields or name.startswith("x_")
            if name != "id" and not known and not column.nullable:
                schema.drop_not_null(self.env.cr, self._table, name)

    def _drop_outdated(self) -> None:
        """Drop the constraints and indexes that no addon declares any more."""
        cls: Any = type(self)
        if not cls._auto or cls._abstract:
            return
        cr = self.env.cr
        declared = {constraint_name(cls._table, key) for key, _, _ in cls._sql_constraints}
        for name in schema.own_constraints(cr, cls._table) - declared:
            schema.drop_constraint(cr, cls._table, name)
        unwanted = {index_name(cls._table, f) for f in self._columns() if not f.index}
        for name in schema.index_names(cr, cls._table) & unwanted:
            schema.drop_index(cr, name)

    def _add_relation(self, field: Any) -> None:
        cr = self.env.cr
        if schema.table_exists(cr, field.relation):
            if (
                not {field.column1, field.column2}
                <= schema.table_columns(cr, field.relation).keys()
            ):
                raise ModelDefinitionError(
                    f"The field {field!r} keeps its links in {field.relation!r}, which another "
                    f"field has made with other columns. Give it a relation= of its own."
                )
            return
        schema.create_relation_table(cr, field.relation, field.column1, field.column2)
        comodel = self.env.registry.models[field.comodel_name]
        for column, model_class in ((field.column1, type(self)), (field.column2, comodel)):
            if model_class._auto and not model_class._abstract:
                schema.add_foreign_key(cr, field.relation, column, model_class._table, "cascade")

    def _add_foreign_keys(self) -> None:
        for field in self._columns():
            if field.type != "many2one":
                continue
            comodel = self.env.registry.models[field.comodel_name]
            if comodel._auto and not comodel._abstract:
                ondelete = getattr(field, "ondelete", None) or "set null"
                try:
                    with self.env.cr.savepoint():
                        schema.add_foreign_key(
                            self.env.cr, self._table, field.name, comodel._table, ondelete
                        )
                except errors.IntegrityError:
                    logger.warning(
                        "Rows link to records that do not exist; foreign key left out",
                        extra={"field": repr(field)},
                    )

    def _add_constraints(self) -> None:
        cr: sql.Cursor = self.env.cr
        present = schema.constraint_definitions(cr, self._table)
        for key, definition, _ in self._sql_constraints:
            name = constraint_name(self._table, key)
            if present.get(name) == definition:
                continue
            try:
                with cr.savepoint():
                    if name in present:
                        schema.drop_constraint(cr, self._table, name)
                    schema.add_constraint(cr, self._table, name, definition)
            except errors.Error as error:
                if errors.is_conflict(error):
                    raise  # others are at the table: it is tried again
                logger.warning(
                    "Constraint left out: rows break it, or it cannot be read",
                    extra={"constraint": name, "definition": definition, "error": str(error)},
                )


def index_name(table: str, field: Field) -> str:
    """The name in the database of the index of a field."""
    return schema.short_name(f"{table}_{field.name}_index")


def _holds_all(present: schema.Column, field: Any) -> bool:
    """Can the column stay as it is? It may be wider than the field."""
    wanted = _widened(present, field)
    if present.type == "varchar" and wanted.startswith("varchar"):
        size = getattr(field, "size", None)
        return present.size is None or (size is not None and size <= present.size)
    shown = "numeric({},{})".format(*present.digits) if present.digits else present.type
    return shown == wanted


def _widened(present: schema.Column, field: Any) -> str:
    """The column's type that takes both what is there and what the field will hold."""
    wanted = str(field.column_type)
    if wanted.startswith("varchar") and present.type != "varchar":
        return "varchar"
    if present.type != "numeric" or not field.column_type.startswith("numeric"):
        return wanted
    if present.digits is None:
        return "numeric"
    (had, had_scale), (has, has_scale) = present.digits, field.digits
    scale = max(had_scale, has_scale)
    return f"numeric({max(had - had_scale, has - has_scale) + scale},{scale})"
