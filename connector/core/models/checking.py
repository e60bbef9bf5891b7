"""Checking: what is asked for is refused before any of it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connector.core.exceptions import (
    FieldValueError,
    MissingError,
    RequiredValueError,
    UnknownFieldError,
    UserError,
    ValidationError,
    except_orm,
)
from connector.core.fields import Command, Field
from connector.core.models.searching import Searching
from connector.core.sql import errors

__all__ = ["Checking", "Values", "shown"]

Values = Mapping[str, Any]


class Checking(Searching):
    """How values for ``create`` and ``write`` are looked at, those for linked records too."""

    _register = False

    def _unknown(self, names: Iterable[str]) -> UnknownFieldError:
        shown = ", ".join(map(repr, sorted(names)))
        return UnknownFieldError(
            f"Invalid field {shown} on model {self._name!r}: it cannot be written. "
            f"It has {', '.join(sorted(self._fields))}."
        )

    def _required(self, field: Field, vals: Values) -> RequiredValueError:
        return RequiredValueError(
            f"Missing required value for {field!r} ({field.string}) in a record with "
            f"{shown(vals)}. "
            f"Give the field a value."
        )

    def _check_mappings(self, given: Iterable[Any]) -> None:
        for vals in given:
            if not isinstance(vals, Mapping):
                raise FieldValueError(
                    f"Wrong values for {self!r}: {vals!r}. Give a dictionary of fields and values."
                )

    def _check_not_deleted(self) -> None:
        """A record that this very transaction deleted is refused at once."""
        gone = self.env.transaction.deleted.get(self._name, ())
        for id_ in self._ids:
            if id_ in gone:
                raise MissingError(
                    f"Cannot write on {self._name}({id_},): this transaction has deleted it. "
                    f"Check with exists() before."
                )

    def _check_groups_of(self, names: Iterable[str]) -> None:
        for name in names:
            self._check_field_groups(self._fields[name], "write")

    # -- values that are no plain columns --------------------------------------------------

    def _check_other(self, field: Any, value: Any) -> None:
        """
        Refuse a value that is written by other means than to a column of the record.

        Raises:
            FieldValueError, RequiredValueError, UnknownFieldError: as the write would.
            UserError: the field is computed and cannot be written.
        """
        if field.automatic:
            return
        try:
            if field.inherited or (field.related and not field.inverse):
                target = field.related_field(self)
                self.env[target.model_name]._check_given({target.name: value}, new=False)
            elif field.x2many:
                self._check_commands(field, value)
            elif field.compute and not field.store and not field.inverse:
                raise UserError(
                    f"The field {field!r} is computed and has no inverse, so it cannot be written. "
                    f"Write on the fields that it depends on."
                )
            else:
                field.to_cache(value, self.browse())
        except FieldValueError as error:
            raise FieldValueError(f"{error} Nothing is written on {self!r}.") from error

    def _check_commands(self, field: Any, value: Any) -> None:
        comodel = self.env[field.comodel_name]
        for command in field.stored_commands(value):
            if command[0] == Command.CREATE and not comodel._is_extended("create"):
                known = {field.inverse_name} if field.type == "one2many" else ()
                comodel._check_given(command[2], new=True, known=known)
            elif command[0] == Command.UPDATE and not comodel._is_extended("write"):
                comodel._check_given(command[2], new=False)

    def _check_given(self, vals: Values, *, new: bool, known: Iterable[str] = ()) -> None:
        """
        Refuse values that ``create``, if *new*, or ``write`` would refuse.

        The fields *known* get their values by the call itself.
        """
        fields, blank = self._fields, self.browse()
        for name, value in vals.items():
            field = fields.get(name)
            if field is None:
                raise self._unknown([name])
            if field.is_column and not field.inverse and not field.related:
                if field.to_cache(value, blank) is None and field.required and name not in known:
                    raise self._required(field, vals)
            else:
                self._check_other(field, value)
        if new and not self._is_extended("default_get"):
            self._check_complete(vals, known)

    def _check_complete(self, vals: Values, known: Iterable[str]) -> None:
        """Refuse values that lack one for a required field that has no default either."""
        context = self.env.context
        for field in self._writing_plan().own_columns:
            name = field.name
            if (
                field.required
                and field.missing is None
                and field.default is None
                and not (name in vals or name in known or f"default_{name}" in context)
            ):
                raise self._required(field, vals)

    # -- constraints ----------------------------------------------------------------------

    def _validate(self, records: Any, written: Iterable[str]) -> None:
        """Call the ``@constrains`` methods that the written fields concern."""
        for name, names in self._constrains_methods:
            if names.isdisjoint(written):
                continue
            try:
                getattr(records, name)()
            except (except_orm, UnknownFieldError, errors.Error):
                raise  # of PostgreSQL's, a conflict has to be known as one
            except Exception as error:
                raise ValidationError(
                    f"The constraint {self._name}.{name} failed on {records!r}: {error}"
                ) from error


def shown(vals: Values) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in list(vals.items())[:5]) or "no values"
