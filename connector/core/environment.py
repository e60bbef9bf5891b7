"""
Environment: a cursor, a user and a context, through which models are reached.

    Environments                  those of one thread or task; owns nothing, only knows them
        Environment  --+
        Environment  --+--> Transaction, held by the cursor: cache, pending writes, todo
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from connector.core import registries
from connector.core.environments import Environments, FrozenDict, here
from connector.core.exceptions import (
    AccessError,
    MissingError,
    UnknownExternalIdError,
    UnknownModelError,
    UserError,
)
from connector.core.fields import Field
from connector.core.models.cache import Transaction
from connector.core.models.storage import flush
from connector.core.models.values import LocalValues
from connector.core.models.views import Cache, Computed, Dirty, Prefetch

__all__ = ["Environment", "Environments", "FrozenDict"]

SUPERUSER_ID = 1


class _MetaEnvironment(type(Mapping)):  # type: ignore[misc]  # the class of abstract classes
    @property
    def envs(cls) -> Environments:
        """The environments of the running thread or task; the first question begins them."""
        found = here.get()
        if found is None:
            found = Environments()
            here.set(found)
        return found


class Known(dict[Any, Any]):
    """
    field -> {id: cached value}, as far as the user may read: what attributes look into.

    A field whose every record the user may read has the transaction's own dictionary, a
    computed one has a dictionary of this environment, and any other an empty one: what it
    holds is asked for record by record.
    """

    __slots__ = ("_env",)

    def __init__(self, env: Environment) -> None:
        super().__init__()
        self._env = env

    def __missing__(self, field: Field) -> dict[Any, Any]:
        env = self._env
        values: dict[Any, Any]
        if field.local:
            values = LocalValues()
            env.transaction.local[field].add(values)
        elif env.uid == SUPERUSER_ID or env[field.model_name]._reads_freely(field):
            values = env.transaction.values[field]
        else:
            values = {}
        self[field] = values
        return values


class Environment(Mapping[str, Any], metaclass=_MetaEnvironment):
    """
    Where records live: ``env["res.partner"]`` is a model, empty and ready to search.

    Two environments of one cursor, user and context are one object. Cached values, pending
    writes and recomputations are the transaction's, and shared by all its environments.
    """

    __slots__ = (
        "__weakref__", "all", "args", "context", "cr", "known", "registry",
        "transaction", "uid",
    )  # fmt: skip

    cr: Any
    uid: int
    context: FrozenDict
    registry: Any
    transaction: Transaction
    known: Known
    args: tuple[Any, int, FrozenDict]
    all: Environments
    envs: ClassVar[Environments]

    def __new__(cls, cr: Any, uid: int, context: Mapping[str, Any]) -> Self:
        if context is None:
            raise TypeError("An environment needs a context; {} will do.")
        environments = cls.envs
        args = (cr, uid, context if type(context) is FrozenDict else FrozenDict(context))
        known = environments.by_arguments.get(args)
        if known is not None:
            return known  # type: ignore[no-any-return]
        cr.check_owner()
        self = super().__new__(cls)
        self.cr, self.uid, self.context = self.args = args
        self.transaction = _transaction_of(cr)
        self.registry = self.transaction.registry
        self.known = Known(self)
        self.all = environments
        environments.add(self)
        self.transaction.environments.add(self)
        return self

    # -- life -----------------------------------------------------------------------------

    @classmethod
    @contextmanager
    def manage(cls) -> Iterator[None]:
        """Keep the environments made in the block apart; inside another such block, nothing."""
        if here.get() is not None:
            yield
            return
        here.set(Environments())
        try:
            yield
        finally:
            here.set(None)

    @classmethod
    def reset(cls) -> None:
        """Begin anew: environments made from now on know nothing of those made before."""
        here.set(Environments())

    # -- mapping of models ----------------------------------------------------------------

    def __getitem__(self, model_name: str) -> Any:
        try:
            return self.registry.models[model_name]._browse(self, ())
        except KeyError:
            raise UnknownModelError(
                f"Database {self.cr.dbname!r} has no model {model_name!r}. "
                f"Install the addon that declares it, or mend the name."
            ) from None

    def __contains__(self, model_name: object) -> bool:
        return model_name in self.registry.models

    def __iter__(self) -> Iterator[str]:
        return iter(self.registry.models)

    def __len__(self) -> int:
        return len(self.registry.models)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Environment of {self.cr.dbname!r}, user {self.uid}>"

    def __call__(
        self, cr: Any = None, user: Any = None, context: Mapping[str, Any] | None = None
    ) -> Environment:
        """This environment with some of its three parts replaced."""
        return Environment(
            self.cr if cr is None else cr,
            self.uid if user is None else int(user),
            self.context if context is None else context,
        )

    # -- what it knows --------------------------------------------------------------------

    def ref(self, xml_id: str, raise_if_not_found: bool = True) -> Any:
        """
        The record of an external id, ``module.name``; None where there is none and that is fine.

        Raises:
            UnknownExternalIdError: there is none, or the record is gone.
        """
        module, dot, name = xml_id.partition(".")
        if not dot:
            raise UnknownExternalIdError(
                f"{xml_id!r} is no external id: write the addon, a dot, and the name."
            )
        data = self(user=SUPERUSER_ID)["ir.model.data"]._lookup_by_key(
            ("module", "name"), (module, name)
        )
        # The model may be gone with its addon, the record by somebody's hand.
        if data and data.model in self:
            record = self[data.model].browse(data.res_id)
            if record.exists():
                return record
        if raise_if_not_found:
            why = (
                "No record found for unique ID" if data else "External ID not found in the system:"
            )
            raise UnknownExternalIdError(
                f"{why} {xml_id}. Install or update the addon {module!r}, or mend the id."
            )
        return None

    @property
    def user(self) -> Any:
        """The user, as a record that may be read."""
        return self(user=SUPERUSER_ID)["res.users"].browse(self.uid)

    @property
    def lang(self) -> str | None:
        """The language of the context."""
        return self.context.get("lang")

    # -- modes ----------------------------------------------------------------------------

    @contextmanager
    def _do_in_mode(self, mode: bool | str) -> Iterator[None]:
        self.cr.check_owner()
        if self.all.mode:
            yield
            return
        self.all.mode = mode
        try:
            yield
        finally:
            self.all.mode = False
            self.transaction.drafted.clear()

    def do_in_draft(self) -> Any:
        """Assignments in the block change the cache alone."""
        return self._do_in_mode(True)

    def do_in_onchange(self) -> Any:
        """The same, for the methods that follow a person's change."""
        return self._do_in_mode("onchange")

    @property
    def in_draft(self) -> bool:
        return bool(self.all.mode)

    @property
    def in_onchange(self) -> bool:
        return self.all.mode == "onchange"

    # -- cached values --------------------------------------------------------------------

    @property
    def cache(self) -> Cache:
        """field -> {id: value}, as far as the user may read: a live view."""
        return Cache(self)

    @property
    def dirty(self) -> Dirty:
        """The records whose values wait to be written, or are in draft: a live view."""
        return Dirty(self)

    @property
    def prefetch(self) -> Prefetch:
        """model -> ids that were browsed, or of which something is known: a live view."""
        return Prefetch(self.transaction)

    @property
    def computed(self) -> Computed:
        """field -> ids whose value is being computed: a live view."""
        return Computed(self.transaction)

    def flush(self) -> None:
        """Send everything that waits."""
        self.cr.check_owner()
        self.transaction.flush()

    def invalidate(self, spec: Iterable[tuple[Field, Iterable[int] | None]]) -> None:
        """Forget cached values, given as pairs of a field and ids or None; pending ones stay."""
        self.cr.check_owner()
        for field, ids in spec:
            listed = None if ids is None else list(ids)
            if listed is None:
                self.transaction.draft.pop(field, None)
            else:
                self.transaction.draft.get(field, set()).difference_update(listed)
            self.transaction.forget(field, listed)
            self.transaction.forget_keys(field.model_name, field.name)

    def invalidate_all(self) -> None:
        """Send what waits, then forget every value."""
        self.flush()
        self.transaction.forget_values(keep=())
        self.transaction.draft.clear()
        self.transaction.drafted.clear()

    def clear(self) -> None:
        """Forget every value and every write and recomputation that waits."""
        self.cr.check_owner()
        self.transaction.clear()

    @contextmanager
    def clear_upon_failure(self) -> Iterator[None]:
        """Forget everything when the block raises."""
        try:
            yield
        except Exception:
            self.clear()
            raise

    def check_cache(self) -> None:
        """
        Compare the cache with the database; what is in draft is kept, and compared with nothing.

        Raises:
            UserError: they differ; it lists field, record and both values.
        """
        self.flush()
        before = {field: dict(values) for field, values in self.known.items() if values}
        drafts = self.transaction.on_savepoint()
        self.transaction.forget_values()
        self.transaction.restore(drafts)
        wrong = []
        for field, values in before.items():
            for id_, cached in values.items():
                if not id_ or id_ in self.transaction.draft.get(field, ()):
                    continue
                record = self[field.model_name].browse(id_)
                try:
                    fetched = record._value_of(field)
                except (AccessError, MissingError):
                    continue
                if fetched != cached:
                    wrong.append((field, record, {"cached": cached, "fetched": fetched}))
        if wrong:
            raise UserError(f"Invalid cache for fields\n{wrong}")

    # -- recomputation --------------------------------------------------------------------

    def field_todo(self, field: Field) -> Any:
        """The records whose value of *field* is to be recomputed."""
        return self[field.model_name].browse(self.transaction.todo.get(field, ()))

    def check_todo(self, field: Field, record: Any) -> Any:
        """The records to recompute if *record* is among them, else None."""
        todo = self.field_todo(field)
        return todo if todo & record else None

    def add_todo(self, field: Field, records: Any) -> None:
        """Have *field* recomputed on the records."""
        self.cr.check_owner()
        self.transaction.todo[field].update(dict.fromkeys(id_ for id_ in records._ids if id_))
        self.transaction.forget(field, records._ids)

    def remove_todo(self, field: Field, records: Any) -> None:
        """Have *field* not recomputed on the records after all."""
        self.cr.check_owner()
        todo = self.transaction.todo
        for id_ in records._ids:
            todo[field].pop(id_, None)
        if not todo[field]:
            del todo[field]

    def has_todo(self) -> bool:
        """Is there something to recompute?"""
        return any(self.transaction.todo.values())

    def get_todo(self) -> tuple[Field, Any]:
        """
        A field whose dependencies are not to be recomputed themselves, and its records.

        Raises:
            LookupError: nothing is to be recomputed.
        """
        waiting = [field for field, ids in self.transaction.todo.items() if ids]
        if not waiting:
            raise LookupError("No field is to be recomputed. Ask has_todo() first.")
        field = min(waiting, key=lambda waiting_field: waiting_field.sequence)
        return field, self.field_todo(field)

    @property
    def recompute(self) -> bool:
        return self.all.recompute

    @contextmanager
    def norecompute(self) -> Iterator[None]:
        """In the block, ``recompute()`` does nothing."""
        self.cr.check_owner()
        before, self.all.recompute = self.all.recompute, False
        try:
            yield
        finally:
            self.all.recompute = before


def _transaction_of(cr: Any) -> Transaction:
    transaction: Transaction | None = cr.transaction
    if transaction is not None and not transaction.begins():
        # In its midst it keeps its models: what waits and what is cached is of them. Nor does
        # it wait for the ones being built, by somebody who may wait for its locks.
        return transaction
    registry = registries.registries.find(cr.dbname)
    if transaction is None:
        transaction = cr.transaction = Transaction(cr, registry)
        transaction.flusher = flush
        transaction.root = lambda: Environment(cr, SUPERUSER_ID, {})
    elif transaction.registry is not registry:
        transaction.take(registry)
    return transaction
