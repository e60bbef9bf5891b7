"""The registry of a database: its models by name, built from the addons installed in it."""

import itertools
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

from connector.core import modules, registries, sql
from connector.core.environment import Environment
from connector.core.exceptions import UnknownModelError
from connector.core.models import MetaModel
from connector.core.models.prepared import forget_prepared
from connector.core.modules import identity
from connector.core.modules.signaling import Signalled
from connector.core.registries import LRU, Registries

logger = logging.getLogger(__name__)

SUPERUSER_ID = 1
CACHE_SIZE = 8192

Result = TypeVar("Result")

_eras = itertools.count(1)


class Registry(Signalled, Mapping[str, Any]):
    """
    The models of one database, name -> class.

    `Registry(db_name)` gives the one registry of a database, and loads it at first.

    Raises:
        DatabaseNotInitialisedError: the database lacks the tables of the addon `base`.
    """

    registries: ClassVar[Registries] = registries.registries
    _lock = registries.lock

    models: dict[str, Any]
    db_name: str
    #: every installed addon is loaded
    loaded: bool
    #: the models are set up and may be used by anybody
    ready: bool

    def __new__(cls, db_name: str) -> Self:
        return cls.registries.find(db_name)  # type: ignore[no-any-return]

    # -- life ---------------------------------------------------------------

    @classmethod
    def new(
        cls,
        db_name: str,
        force_demo: bool = False,
        status: Any = None,
        update_module: bool = False,
        *,
        changes: modules.Changes | None = None,
    ) -> Self:
        """
        Build the registry of a database and put it in the place of the one before.

        With *update_module* the states of the addons are followed: what is to be installed,
        upgraded or removed is; *changes* names more of it. A failure leaves no trace: the
        states are as before, and no registry is kept. *status* is there for 8.0 callers.
        """
        with cls._lock, Environment.manage():
            registry = object.__new__(cls)
            registry.init(db_name)
            if db_name in cls.registries:
                # Statements that connections keep prepared may be of tables as they were.
                sql.close_all(db_name)
            cls.delete(db_name)
            # Loading runs general code that asks for this registry meanwhile.
            cls.registries[db_name] = registry
            try:
                registry.setup_signaling()
                modules.load_modules(registry, force_demo, update_module, changes)
            except BaseException:
                # The error itself tells the user; this line tells the log where it came from.
                logger.info("Failed to load registry", extra={"database": db_name})
                cls.delete(db_name)
                raise
            # Removing addons builds the registry once more.
            registry = cls.registries[db_name]
            registry._init = False
            registry.ready = True
            registry.registry_invalidated |= update_module
            registry.signal_changes()
            cls.registries.shrink()
            return registry

    @classmethod
    def delete(cls, db_name: str) -> None:
        """Forget the registry of a database."""
        with cls._lock:
            registry = cls.registries.pop(db_name, None)
            if registry is not None:
                registry.clear_caches()

    @classmethod
    def delete_all(cls) -> None:
        """Forget all registries."""
        with cls._lock:
            for db_name in list(cls.registries):
                cls.delete(db_name)

    def init(self, db_name: str) -> None:
        """Start empty."""
        self.models = {}
        self.db_name = db_name
        self._init = True
        #: custom models, and the classes that add custom fields to a model, by its name
        self.manual_models: dict[str, Any] = {}
        self.manual_extensions: dict[str, Any] = {}
        #: custom fields that were left out when the addons were loaded, and why
        self.left_out: dict[str, str] = {}
        #: the addons loaded so far, in their order, and as a set by the name of 8.0
        self.loaded_addons: list[str] = []
        self._init_modules: set[str] = set()
        #: the number of the last set-up, which made all fields anew
        self.era = 0
        self._post_init_queue: deque[Callable[[], None]] = deque()
        self.test_cr: Any = None
        self.loaded = False
        self.ready = False
        self.loaded_xmlids: set[str] = set()
        self.cache: LRU[Any, Any] = LRU(CACHE_SIZE)

    @property
    def _db(self) -> sql.Database:
        return sql.connect(self.db_name)

    def in_use(self) -> bool:
        """Whether a cursor is open on the database in this process."""
        return sql.in_use(self.db_name)

    def asleep(self) -> bool:
        """Whether the database is a copy that nobody adopted: no job, cron or exporter runs."""
        with self.cursor(sql.READ_COMMITTED) as cr:
            return identity.is_asleep(cr)

    def cursor(self, isolation_level: str | None = None) -> sql.Cursor:
        """A cursor on the database, REPEATABLE READ unless told otherwise."""
        return self._db.cursor(isolation_level)

    def run(
        self, work: Callable[[Any], Result], isolation_level: str | None = None, uid: int = 1
    ) -> Result:
        """
        Do *work* with an environment on a cursor of its own, and commit: an outermost edge.

        After a serialization failure, a deadlock or a lock timeout it is done anew, at most
        five times, so it must not do anything outside the database.
        """

        def once() -> Result:
            with Environment.manage(), self.cursor(isolation_level) as cr:
                return work(Environment(cr, uid, {}))

        return sql.retried(once)

    def in_test_mode(self) -> bool:
        return self.test_cr is not None

    def enter_test_mode(self, cr: sql.Cursor) -> None:
        """Work in the one transaction of *cr*: no signals are sent or followed."""
        self.test_cr = cr

    def leave_test_mode(self) -> None:
        self.test_cr = None
        self.cache.clear()

    # -- mapping ------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[str]:
        return iter(self.models)

    def __contains__(self, model_name: object) -> bool:
        return model_name in self.models

    def __getitem__(self, model_name: str) -> Any:
        try:
            return self.models[model_name]
        except KeyError:
            raise UnknownModelError(
                f"Database {self.db_name!r} has no model {model_name!r}. "
                "Install the addon that declares it, or mend the name."
            ) from None

    def __setitem__(self, model_name: str, model: Any) -> None:
        self.models[model_name] = model

    def __delitem__(self, model_name: str) -> None:
        del self.models[model_name]

    def __call__(self, model_name: str) -> Any:
        return self[model_name]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<Registry of {self.db_name!r}, {len(self.models)} models>"

    # -- models -------------------------------------------------------------

    def load(self, cr: sql.Cursor, module: Any) -> list[str]:
        """
        Build the classes that an addon declares into the models of this database.

        Returns the names of the models that changed, those that inherit from them included.
        The addon's Python code is imported already.
        """
        self.cache.clear()
        names = [
            cls._build_model(self, cr)._name
            for cls in MetaModel.module_to_models.get(module.name, [])
        ]
        return self.descendants(names, "_inherit", "_inherits")

    def setup_models(self, cr: sql.Cursor) -> None:
        """Complete the models; to be called after loading addons, before the models are used."""
        env = Environment(cr, SUPERUSER_ID, {})
        env.invalidate_all()
        if self.loaded_addons:
            env["ir.model"]._add_manual_models()
        if not self.ready:
            self.left_out = {}
        models = [env[name] for name in self.models]
        for model in models:
            model._prepare_setup()
        for model in models:
            model._setup_base()
        for model in models:
            model._setup_fields()
        for model in models:
            model._setup_complete()
        self.cache.clear()
        self.registry_invalidated = True
        self.era = next(_eras)
        env.transaction.follow_set_up()

    def init_models(
        self, cr: sql.Cursor, model_names: Iterable[str], context: Mapping[str, Any]
    ) -> None:
        """
        Create or update the tables of some models.

        *context* may hold `module` (the addon being installed or updated), `models_to_check`
        (the models are only verified) and `update_custom_fields` (columns of manual fields
        are made as well).
        """
        if "module" in context:
            logger.info("Creating or updating tables", extra={"addon": context["module"]})
        elif context.get("models_to_check"):
            logger.info("Verifying the fields of every extended model")
        env = Environment(cr, SUPERUSER_ID, dict(context))
        models = [env[name] for name in model_names]
        self._post_init_queue.clear()  # what an earlier call left that failed
        for model in models:
            model._auto_init()
            model.init()
        forget_prepared(cr)
        while self._post_init_queue:
            self._post_init_queue.popleft()()
        env["ir.model"]._triggers()  # a path that leads nowhere is told now, not at a write
        env["ir.model"]._reflect_models([model._name for model in models])
        if models:
            models[0].recompute()
        self._check_tables_exist(cr, env)

    def post_init(self, function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Call the function when `init_models` has made all its tables."""
        self._post_init_queue.append(partial(function, *args, **kwargs))

    def descendants(self, model_names: Iterable[str], *kinds: str) -> list[str]:
        """
        The models, and all that inherit from them, each once, breadth first.

        *kinds* says how they may inherit: `_inherit`, `_inherits` or both.
        """
        children: dict[str, set[str]] = defaultdict(set)
        for name, model in self.models.items():
            if "_inherit" in kinds:
                children[name] |= model._inherit_children
            if "_inherits" in kinds:
                for parent in model._inherits:
                    children[parent].add(name)
        found = dict.fromkeys(model_names)
        waiting = deque(found)
        while waiting:
            for name in sorted(children[waiting.popleft()]):
                if name not in found:
                    found[name] = None
                    waiting.append(name)
        return list(found)

    def _check_tables_exist(self, cr: sql.Cursor, env: Any) -> None:
        tables = {
            env[name]._table: name
            for name, model in self.models.items()
            if model._auto and not model._abstract
        }
        for table in sorted(set(tables) - sql.schema.existing_tables(cr, list(tables))):
            logger.error("Model without a table", extra={"model": tables[table]})


registries.build = Registry.new
sql.on_release.append(registries.registries.shrink)
