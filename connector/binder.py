"""The binder: which record of the backend is which record here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

from connector.connector_unit import ConnectorUnit
from connector.exception import (
    InvalidBindingError,
    InvalidExternalIdError,
    ManyBindingsError,
    UnknownModelError,
)
from connector.session import Recordset

ExternalId = int | str


def external_key(external_id: object) -> str:
    """
    Give the text under which an external id is stored and locked.

    Raises:
        InvalidExternalIdError: it is None, False or empty, or of a type that is no id.
    """
    if isinstance(external_id, str) and external_id:
        return external_id
    if isinstance(external_id, int) and not isinstance(external_id, bool):
        return str(external_id)
    if isinstance(external_id, uuid.UUID):
        return str(external_id)
    raise InvalidExternalIdError(
        f"{external_id!r} is no external id. An id is a number or a text that is not empty; "
        "zero is one."
    )


class Binder(ConnectorUnit):
    """
    Finds the binding of an external record, or the external id of a binding, and links them.

    The binding model `_inherits` the normal one and has the fields named here.
    """

    _external_field: ClassVar[str] = "external_id"
    _backend_field: ClassVar[str] = "backend_id"
    _openerp_field: ClassVar[str] = "openerp_id"
    _sync_date_field: ClassVar[str] = "sync_date"

    # -- from the backend to here ------------------------------------------------------------

    def to_openerp(self, external_id: object, unwrap: bool = False) -> Recordset:
        """
        Give the binding of an external id, or the normal record with *unwrap*.

        Archived records are found too.  Without a binding the recordset is empty, and of the
        model it would have.

        Raises:
            ManyBindingsError: several bindings have this id.
            InvalidExternalIdError: it is of a type that is no id; empty ones are bound to nothing.
        """
        model = self.model
        if external_id is None or external_id is False or external_id == "":
            binding = model.browse()
        elif self._has_unique_key:
            binding = model._lookup_by_key(self._key_names, self._key(external_id))
        else:
            binding = self._search_key(self._key(external_id))
        if len(binding) > 1:
            raise ManyBindingsError(
                f"{len(binding)} records of {model._name!r} have the external id {external_id!r} "
                f"on {self.backend_record}: {binding.ids}. Keep one, and declare "
                f"UNIQUE({self._backend_field}, {self._external_field})."
            )
        return binding[self._unwrapping_field] if unwrap else binding

    def prefetch(self, external_ids: Iterable[object]) -> Recordset:
        """
        Look many external ids up in one statement; `to_openerp` then needs none for them.

        Gives the bindings found, whose columns are read with them.
        """
        keys = [self._key(external_id) for external_id in external_ids]
        if self._has_unique_key:
            return self.model._prefetch_keys(self._key_names, keys)
        domain = [
            (self._backend_field, "=", self.backend_record.id),
            (self._external_field, "in", [external_id for _, external_id in keys]),
        ]
        return self.model.with_context(active_test=False).search(domain)

    def forget(self, external_id: object) -> None:
        """Forget what was remembered of an external id; called once its lock is held."""
        values = dict(zip(self._key_names, self._key(external_id), strict=True))
        self.env.cr.transaction.forget_key(self.model._name, values)

    @cached_property
    def _unwrapping_field(self) -> str:
        """The field of the normal record; an UnknownModelError where there is none."""
        self.unwrap_model()
        return self._normal_field

    @cached_property
    def _key_names(self) -> tuple[str, str]:
        return (self._backend_field, self._external_field)

    @cached_property
    def _has_unique_key(self) -> bool:
        """Say whether the model declares that an external id is bound once per backend."""
        return tuple(sorted(self._key_names)) in self.model._natural_keys

    def _search_key(self, key: tuple[int, str]) -> Recordset:
        """Search without the help of a constraint: there may be several."""
        domain = [(name, "=", value) for name, value in zip(self._key_names, key, strict=True)]
        found = self.model.with_context(active_test=False).search(domain)
        return found.with_context(dict(self.env.context))

    def _key(self, external_id: object) -> tuple[int, str]:
        return (self.backend_record.id, external_key(external_id))

    # -- from here to the backend ------------------------------------------------------------

    def to_backend(self, binding_id: Any, wrap: bool = False) -> Any:
        """
        Give the external id of a binding, or of a normal record with *wrap*.

        None when the normal record has no binding on this backend; what the field holds, an id
        or False, when the binding has no external id.
        """
        if not wrap:
            return self._one_of(self.model, binding_id)[self._external_field]
        record = self._one_of(self.env[self.unwrap_model()], binding_id)
        binding = self.wrap_record(record.id)
        return binding[self._external_field] if binding else None

    def wrap_record(self, record_id: int) -> Recordset:
        """
        Give the binding, possibly none, that a normal record has on this backend.

        Raises:
            ManyBindingsError: it has several.
        """
        domain = [
            (self._normal_field, "=", record_id),
            (self._backend_field, "=", self.backend_record.id),
        ]
        found = self.model.with_context(active_test=False).search(domain)
        if len(found) > 1:
            raise ManyBindingsError(
                f"The record {record_id} has {len(found)} bindings of {self.model._name!r} on "
                f"{self.backend_record}: {found.ids}. Keep one."
            )
        return found.with_context(dict(self.env.context))

    # -- the link ----------------------------------------------------------------------------

    def bind(self, external_id: object, binding_id: Any) -> None:
        """
        Link a record of the backend to its binding and stamp the time.

        Writing again with the same arguments changes only the stamp.

        Raises:
            InvalidExternalIdError: *external_id* is empty or no id. Zero is a valid id.
            InvalidBindingError: there is no binding.
        """
        key = external_key(external_id)
        binding = self._one_of(self.model, binding_id)
        values = self.link_values(key)
        if "missing_since" in self.model._fields and binding.missing_since:
            values["missing_since"] = False  # who binds has seen the record on the backend
        binding.with_context(connector_no_export=True).write(values)

    def link_values(self, external_id: object) -> dict[str, Any]:
        """Give the values by which a binding is linked, for whoever writes it anyway."""
        return {
            self._external_field: external_key(external_id),
            self._sync_date_field: self.env.cr.now(),
        }

    def unwrap_binding(self, binding_id: Any, browse: bool = False) -> Any:
        """Give the id of the normal record behind a binding, or the record with *browse*."""
        binding = self._one_of(self.model, binding_id)
        self.unwrap_model()
        record = binding[self._normal_field]
        return record if browse else record.id

    def _one_of(self, model: Recordset, given: Any) -> Recordset:
        """
        Give the one record of *model* that is given by its id or as a recordset.

        Raises:
            InvalidBindingError: it is neither, or of another model, or not exactly one.
        """
        if isinstance(given, int) and not isinstance(given, bool) and given > 0:
            return model.browse(given)
        if getattr(given, "_name", None) == model._name and len(given) == 1:
            return given
        raise InvalidBindingError(
            f"The binder of {self.model._name!r} on {self.backend_record} needs one record of "
            f"{model._name!r} and is given {given!r}. Give that record, or its id."
        )

    def unwrap_model(self) -> str:
        """
        Give the name of the model that the bindings bind.

        Raises:
            UnknownModelError: the binding model has no field for it (a ValueError too).
        """
        field = self.model._fields.get(self._normal_field)
        if field is None:
            raise UnknownModelError(
                f"{self.model._name!r} has no field {self._normal_field!r}, so it binds no other "
                "model. Set _openerp_field on its binder."
            )
        return str(field.comodel_name)

    # -- the names of 10.0 -------------------------------------------------------------------

    @property
    def _normal_field(self) -> str:
        """`_odoo_field` where a class made for 10.0 sets it, else `_openerp_field`."""
        return self._odoo_field or self._openerp_field

    _odoo_field: ClassVar[str | None] = None

    def to_internal(self, external_id: object, unwrap: bool = False) -> Recordset:
        """10.0's name of `to_openerp`."""
        return self.to_openerp(external_id, unwrap=unwrap)

    def to_external(self, binding: Any, wrap: bool = False) -> Any:
        """10.0's name of `to_backend`."""
        return self.to_backend(binding, wrap=wrap)


ConnectorUnit._binder_class = Binder
