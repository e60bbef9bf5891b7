"""
Connector units, the environment they share, and the binder.

A `ConnectorEnvironment` is a backend record, a session and a model.  It finds the unit of a kind
for them; a unit finds its neighbours through it.  Record locks are re-exported here.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from connector.core.addon import addon_of, addon_of_object
from connector.exception import (
    InvalidBindingError,
    InvalidExternalIdError,
    ManyBindingsError,
    NoModelNameError,
    RetryableJobError,
    UnknownModelError,
)
from connector.record_lock import held_locks, lock_name, pg_try_advisory_lock, try_locks
from connector.session import ConnectorSession, Recordset

__all__ = [
    "Binder",
    "ConnectorEnvironment",
    "ConnectorUnit",
    "MetaConnectorUnit",
    "external_key",
    "get_environment",
    "get_odoo_module",
    "get_openerp_module",
    "held_locks",
    "is_module_installed",
    "lock_name",
    "pg_try_advisory_lock",
    "try_locks",
]

#: A lock refused now is usually free again when the other import has committed.
LOCK_RETRY_SECONDS = 1

ExternalId = int | str
U = TypeVar("U", bound="ConnectorUnit")


def get_openerp_module(cls_or_func: Any) -> str:
    """Give the addon a class or function lives in."""
    return addon_of_object(cls_or_func)


get_odoo_module = get_openerp_module


def is_module_installed(env: Any, module_name: str) -> bool:
    """Say whether an addon is installed in the database of *env*."""
    return module_name in env.registry._init_modules


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


class ConnectorEnvironment:
    """
    What the units of one task share: backend record, session and model.

    A subclass may carry more, an open client for instance; the attributes named in
    `_propagate_kwargs` are handed to the environments made from it for other models.
    10.0's form without a session is taken too: it works in the environment of the record.
    """

    _propagate_kwargs: ClassVar[list[str]] = []

    def __init__(
        self,
        backend_record: Recordset,
        session: ConnectorSession | str,
        model_name: str | None = None,
    ) -> None:
        if isinstance(session, str):
            model_name, session = session, ConnectorSession.from_env(backend_record.env)
        assert model_name is not None
        self.backend_record = backend_record
        self.backend = backend_record.get_backend()
        self.session = session
        self.model_name = model_name

    @property
    def env(self) -> Any:
        return self.session.env

    @property
    def model(self) -> Recordset:
        return self.session.env[self.model_name]

    @property
    def pool(self) -> Any:
        return self.session.pool

    def get_connector_unit(self, base_class: type[U]) -> U:
        """
        Make the unit of this kind for the backend, its version and the model.

        Raises:
            NoConnectorUnitError, ManyConnectorUnitsError: see `Backend.get_class`.
        """
        unit_class = self.backend.get_class(base_class, self.session, self.model_name)
        return unit_class(self)  # type: ignore[no-any-return]  # the record's backend is untyped

    @classmethod
    def create_environment(
        cls,
        backend_record: Recordset,
        session: ConnectorSession,
        model: str,
        connector_env: ConnectorEnvironment | None = None,
    ) -> ConnectorEnvironment:
        """Make an environment for another model, with what *connector_env* propagates."""
        names = connector_env._propagate_kwargs if connector_env is not None else ()
        kwargs = {name: getattr(connector_env, name) for name in names}
        return cls(backend_record, session, model, **kwargs)


def get_environment(
    session: ConnectorSession, model_name: str, backend_id: int, lang: str | None = None
) -> ConnectorEnvironment:
    """
    Make the environment in which a job works, from what its arguments say.

    The model of the backend is the one that the binding's `backend_id` points to.  With *lang*
    the environment works in a session of its own, so that nobody has to restore the language.

    Raises:
        UnknownModelError: there is no such model, or it is no binding of a backend.
    """
    if model_name not in session.env.registry:
        raise UnknownModelError(
            f"No model {model_name!r} in the database {session.cr.dbname!r}. "
            "Install the addon that declares it."
        )
    field = session.env[model_name]._fields.get("backend_id")
    if field is None or field.type != "many2one":
        raise UnknownModelError(
            f"{model_name!r} has no many2one `backend_id`, so its backend is not known. "
            "Give the name of a binding model, not of the model it binds."
        )
    if lang is not None:
        session = ConnectorSession.from_env(session.env(context={**session.context, "lang": lang}))
    backend_record = session.env[field.comodel_name].browse(backend_id)
    return ConnectorEnvironment(backend_record, session, model_name)


class MetaConnectorUnit(type):
    """
    Keeps the addon of each unit class in `_module`.

    A look-up passes over the units of addons that are not installed.  `_openerp_module_` is
    another name of the same.
    """

    _module: str
    _openerp_module_: str
    _model_name: str | Iterable[str] | None

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._module = cls._openerp_module_ = addon_of(cls.__module__)

    @property
    def for_model_names(cls) -> tuple[str, ...]:
        """
        The models that the unit works on.

        Raises:
            NoModelNameError: the class does not say.
        """
        names = cls._model_name
        if names is None:
            raise NoModelNameError(
                f"{cls.__module__}.{cls.__qualname__} works on no model. "
                "Set its _model_name to the name of a model, or to a list of names."
            )
        return (names,) if isinstance(names, str) else tuple(names)

    @property
    def model_name(cls) -> tuple[str, ...]:
        """Deprecated name of `for_model_names`."""
        warnings.warn(
            "model_name is deprecated: use for_model_names", DeprecationWarning, stacklevel=2
        )
        return cls.for_model_names


class ConnectorUnit(metaclass=MetaConnectorUnit):
    """
    One piece of a connector: a binder, a mapper, an adapter, an importer.

    A class is registered on a backend for the models in `_model_name` and is made anew for every
    use, by `ConnectorEnvironment.get_connector_unit` or by `unit_for` of another unit.
    """

    #: A name, or a list of names.
    _model_name: ClassVar[Any] = None

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        self.connector_env = connector_env
        self.backend = connector_env.backend
        self.backend_record = connector_env.backend_record
        self.session = connector_env.session
        self._binders: dict[str | None, Binder] = {}

    @classmethod
    def match(cls, session: ConnectorSession, model: Any) -> bool:
        """Say whether the unit works on *model*, a model or its name; a hook."""
        name = model if isinstance(model, str) else model._name
        return name in cls.for_model_names

    @property
    def env(self) -> Any:
        return self.session.env

    @property
    def model(self) -> Recordset:
        return self.connector_env.model

    @property
    def localcontext(self) -> Any:
        """The context under the name that the translation function looks for."""
        return self.session.context

    def unit_for(self, connector_unit_class: type[U], model: str | None = None) -> U:
        """Make the unit of this kind for the current model, or for another one."""
        connector_env = self.connector_env
        if model is not None and model != connector_env.model_name:
            connector_env = type(connector_env).create_environment(
                self.backend_record, self.session, model, connector_env=connector_env
            )
        return connector_env.get_connector_unit(connector_unit_class)

    def binder_for(self, model: str | None = None) -> Binder:
        """Give the binder of the current model, or of another one; made once for this unit."""
        binder = self._binders.get(model)
        if binder is None:
            binder = self._binders[model] = self.unit_for(Binder, model)
        return binder

    def advisory_lock_or_retry(
        self, lock: object, retry_seconds: float = LOCK_RETRY_SECONDS
    ) -> None:
        """
        Take a lock until the transaction ends, or let the job come back later.

        Raises:
            RetryableJobError: another transaction holds it; the try is not counted.
        """
        if not pg_try_advisory_lock(self.env, lock):
            raise RetryableJobError(
                f"Could not acquire advisory lock {str(lock)!r}: another job works on it.",
                seconds=retry_seconds,
                ignore_retry=True,
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
        return binding[self._normal_field] if unwrap else binding

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
        record_id = binding_id if isinstance(binding_id, int) else binding_id.ensure_one().id
        if not wrap:
            return self.model.browse(record_id)[self._external_field]
        binding = self.wrap_record(record_id)
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
        if not binding_id:
            raise InvalidBindingError(
                f"The external id {external_id!r} cannot be bound to {binding_id!r}. "
                f"Give one record of {self.model._name!r}, or its id."
            )
        binding = self.model.browse(binding_id) if isinstance(binding_id, int) else binding_id
        binding.ensure_one().with_context(connector_no_export=True).write(self.link_values(key))

    def link_values(self, external_id: object) -> dict[str, Any]:
        """Give the values by which a binding is linked, for whoever writes it anyway."""
        return {
            self._external_field: external_key(external_id),
            self._sync_date_field: self.env.cr.now(),
        }

    def unwrap_binding(self, binding_id: Any, browse: bool = False) -> Any:
        """Give the id of the normal record behind a binding, or the record with *browse*."""
        binding = self.model.browse(binding_id) if isinstance(binding_id, int) else binding_id
        record = binding.ensure_one()[self._normal_field]
        return record if browse else record.id

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
