"""
Modifiers: small functions that stand in `direct` in place of a source field.

    direct = [(none("phone"), "phone"),
              (convert("price", float), "list_price"),
              (backend_to_m2o("artist_id", binding="shop.artist"), "artist_id")]

Each is made by a function that takes the source field first, and is called with the mapper, the
record and the target field.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from connector.exception import MappingDefinitionError, MappingError, MissingSourceFieldError

#: modifier(mapper, record, to_attr) -> value
Modifier = Callable[[Any, Any, str], Any]


def _value(field: str | Modifier, mapper: Any, record: Any, to_attr: str) -> Any:
    if not isinstance(field, str):
        return field(mapper, record, to_attr)
    try:
        return record[field]
    except KeyError as error:
        raise MissingSourceFieldError(
            f"The record of {mapper.model._name!r} has no field {field!r}, which "
            f"{type(mapper).__name__} maps to {to_attr!r}."
        ) from error


def none(field: str | Modifier) -> Modifier:
    """Give None where the value, which may come from another modifier, is empty."""

    def modifier(mapper: Any, record: Any, to_attr: str) -> Any:
        return _value(field, mapper, record, to_attr) or None

    return modifier


def convert(field: str | Modifier, conv_type: Callable[[Any], Any]) -> Modifier:
    """Convert a value, for instance with `str`; an empty one gives False."""

    def modifier(mapper: Any, record: Any, to_attr: str) -> Any:
        value = _value(field, mapper, record, to_attr)
        return conv_type(value) if value else False

    return modifier


def normalize_datetime(field: str | Modifier) -> Modifier:
    """
    Give a point in time as UTC, without zone.

    ISO 8601 is read, with zone or as UTC without; the zero date of old shops gives None.
    """

    def modifier(mapper: Any, record: Any, to_attr: str) -> datetime | None:
        value = _value(field, mapper, record, to_attr)
        return to_utc(value) if value else None

    return modifier


def to_utc(value: str | datetime) -> datetime | None:
    """
    Read a point in time as UTC, without zone; None for the zero date of old shops.

    Raises:
        MappingError: it is no date.
    """
    if isinstance(value, str):
        if value.startswith("0000-00-00"):
            return None
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise MappingError(f"{value!r} is no date and time in ISO 8601.") from error
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def backend_to_m2o(field: str | Modifier, binding: str | None = None) -> Modifier:
    """
    Give the id of the record an external id is bound to, for a many2one; empty gives False.

    The target points to a binding model; with *binding*, the name of one, it points to the
    normal model and the record behind the binding is given.  Zero is an external id.

    Raises when called:
        MappingDefinitionError: the target is no many2one.
        MappingError: the id is not bound; import the dependency first.
    """

    def modifier(mapper: Any, record: Any, to_attr: str) -> Any:
        external_id = _value(field, mapper, record, to_attr)
        if external_id is None or external_id is False or external_id == "":
            return False
        model_name, options = binding or _comodel(mapper, to_attr), mapper.options
        key = (model_name, str(external_id), bool(binding))
        if options.found and key in options.found:
            return options.found[key]
        binder = mapper.binder_for(model_name)
        found = binder.to_openerp(external_id, unwrap=bool(binding))
        if not found and key[:2] in (options.unfinished or ()):
            # Two records need each other; the importer maps this one again when that one exists.
            return False
        if not found:
            raise MappingError(
                f"The external id {external_id!r} of {to_attr!r} is not bound in {model_name!r} "
                f"on {mapper.backend_record}. Import it before the record that needs it."
            )
        found_id = found if isinstance(found, int) else found.id
        if options.found is not None:
            options.found[key] = found_id
        return found_id

    return modifier


def m2o_to_backend(field: str, binding: str | None = None) -> Modifier:
    """
    Give the external id of the record a many2one points to; empty gives False.

    The field points to a binding model; with *binding*, the name of one, it points to the normal
    model and its binding's external id is given.

    Raises when called:
        MappingDefinitionError: the field is no many2one.
        MappingError: the record has no external id; export the dependency first.
    """

    def modifier(mapper: Any, record: Any, to_attr: str) -> Any:
        comodel = _comodel(mapper, field)
        if not record[field]:
            return False
        model_name = binding or comodel
        related = record[field].id
        external_id = mapper.binder_for(model_name).to_backend(related, wrap=bool(binding))
        if external_id is None or external_id is False or external_id == "":
            raise MappingError(
                f"The record {related} of {comodel!r} in {field!r} has no external id in "
                f"{model_name!r} on {mapper.backend_record}. Export it before the record that "
                "needs it."
            )
        return external_id

    return modifier


def follow_m2o_relations(field: str) -> Modifier:
    """Follow a path of attributes, `"partner_id.country_id.code"`."""

    def modifier(mapper: Any, record: Any, to_attr: str) -> Any:
        return reduce(getattr, field.split("."), record)

    return modifier


external_to_m2o = backend_to_m2o
m2o_to_external = m2o_to_backend


def _comodel(mapper: Any, name: str) -> str:
    field = mapper.model._fields.get(name)
    if field is None or field.type != "many2one":
        raise MappingDefinitionError(
            f"{name!r} of {mapper.model._name!r} is no many2one, so no record can be found for it."
        )
    return str(field.comodel_name)
