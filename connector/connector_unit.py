"""Connector units, and the environment they share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from connector.core.addon import addon_of, addon_of_object
from connector.deprecate import log_deprecate
from connector.exception import NoModelNameError, RetryableJobError, UnknownModelError
from connector.record_lock import pg_try_advisory_lock
from connector.session import ConnectorSession, Recordset

if TYPE_CHECKING:
    from connector.binder import Binder

#: A lock refused now is usually free again when the other import has committed.
LOCK_RETRY_SECONDS = 1

U = TypeVar("U", bound="ConnectorUnit")


def get_openerp_module(cls_or_func: Any) -> str:
    """Give the addon a class or function lives in."""
    return addon_of_object(cls_or_func)


get_odoo_module = get_openerp_module
#: The same of the dotted path of a Python module, under the names of 8.0 and 10.0.
_get_openerp_module_name = _get_addon_name = addon_of


def is_module_installed(env: Any, module_name: str) -> bool:
    """Say whether an addon is installed in the database of *env*."""
    return module_name in env.registry._init_modules


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
        if not isinstance(model_name, str):
            raise UnknownModelError(
                f"A ConnectorEnvironment of {backend_record} needs the name of a model and is "
                f"given {model_name!r}. Give the name of a binding model."
            )
        self.backend_record = backend_record
        self.backend = backend_record.get_backend()
        self.session = session
        self.model_name = model_name
        self._model: tuple[Any, Recordset] = (None, None)

    @property
    def env(self) -> Any:
        return self.session.env

    @property
    def model(self) -> Recordset:
        env, model = self._model
        if env is not self.session.env:
            env = self.session.env
            model = env[self.model_name]
            self._model = (env, model)
        return model

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

    def set_lang(self, code: str) -> None:
        """
        Gone since 8.0.

        Raises:
            DeprecationWarning: always; `get_environment` takes the language.
        """
        raise DeprecationWarning(
            f"set_lang({code!r}) is gone: make the environment with get_environment(..., lang=...)."
        )

    @classmethod
    def create_environment(
        cls,
        backend_record: Recordset,
        session: ConnectorSession | str,
        model: str | None = None,
        connector_env: ConnectorEnvironment | None = None,
    ) -> ConnectorEnvironment:
        """
        Make an environment for another model, with what *connector_env* propagates.

        10.0's form without a session is taken here too.
        """
        names = connector_env._propagate_kwargs if connector_env is not None else ()
        kwargs = {name: getattr(connector_env, name) for name in names}
        if isinstance(session, str):
            model, session = session, ConnectorSession.from_env(backend_record.env)
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

    A look-up passes over the units of addons that are not installed.
    """

    _module: str
    _model_name: str | Iterable[str] | None

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._module = addon_of(cls.__module__)

    @property
    def _openerp_module_(cls) -> str:
        """Another name of `_module`."""
        return cls._module

    @_openerp_module_.setter
    def _openerp_module_(cls, addon: str) -> None:
        cls._module = addon

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
        log_deprecate("model_name is deprecated: use for_model_names")
        return cls.for_model_names


class ConnectorUnit(metaclass=MetaConnectorUnit):
    """
    One piece of a connector: a binder, a mapper, an adapter, an importer.

    A class is registered on a backend for the models in `_model_name` and is made anew for every
    use, by `ConnectorEnvironment.get_connector_unit` or by `unit_for` of another unit.
    """

    #: A name, or a list of names.
    _model_name: ClassVar[Any] = None
    #: The kind that `binder_for` asks for; `connector.binder` sets it to its Binder.
    _binder_class: ClassVar[type[Binder]]

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        self.connector_env = connector_env
        self.backend = connector_env.backend
        self.backend_record = connector_env.backend_record
        self.session = connector_env.session
        self._binders: dict[str | None, Binder] = {}

    @property
    def _openerp_module_(self) -> str:
        """Another name of `_module`."""
        return type(self)._module

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

    @property
    def environment(self) -> ConnectorEnvironment:
        """Deprecated name of `connector_env`."""
        log_deprecate("environment is deprecated: use connector_env")
        return self.connector_env

    def get_connector_unit_for_model(
        self, connector_unit_class: type[U], model: str | None = None
    ) -> U:
        """Deprecated name of `unit_for`."""
        log_deprecate("get_connector_unit_for_model is deprecated: use unit_for")
        return self.unit_for(connector_unit_class, model)

    def get_binder_for_model(self, model: str | None = None) -> Binder:
        """Deprecated name of `binder_for`."""
        log_deprecate("get_binder_for_model is deprecated: use binder_for")
        return self.binder_for(model)

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
            binder = self._binders[model] = self.unit_for(self._binder_class, model)
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
