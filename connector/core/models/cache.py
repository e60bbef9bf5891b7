"""
What one transaction knows and has yet to write: shared by all environments of its cursor.

    values    field -> {id: cached value}     read, computed or assigned
    new       model -> {id: None}             created, not inserted yet; in order
    dirty     field -> {id: None}             columns to update
    touched   model -> {id: uid}              records whose log columns change with the update
    links     relation -> {pair: bool}        rows of a many2many to insert or delete
    todo      field -> {id: None}             stored computed values to recompute
    keys      (model, names) -> {key: id}     natural keys looked up; 0 is a remembered miss
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakSet

from connector.core.fields.new_id import NewId
from connector.core.models.prepared import forget_prepared
from connector.core.models.values import LocalValues, Values

__all__ = ["Transaction"]

#: pending rows after which the next create or write flushes
FLUSH_ROWS = 20_000
#: ids reserved at once grow from one up to this
RESERVE_MAX = 1_000
#: records of a model of which the cache keeps values that do not wait to be written
CACHE_ROWS = 50_000

#: under which a connection remembers the set-up that its statements were prepared for
ERA = "era of the registry"

Ids = dict[Any, None]


class Kept(NamedTuple):
    """What a savepoint's rollback leaves: it is older, and not in any table."""

    #: field -> {id: value}: drafts on stored records
    drafts: dict[Any, dict[Any, Any]]
    #: field -> ids that were due already, in ``norecompute``
    todo: dict[Any, Ids]


class Transaction:
    """The state of one cursor's transaction; the cursor holds it and says when to flush."""

    def __init__(self, cr: Any, registry: Any) -> None:
        self.cr = cr
        self.registry = registry
        self.flusher: Callable[[Transaction], None] | None = None
        self.root: Callable[[], Any] | None = None
        self.environments: WeakSet[Any] = WeakSet()
        self.values = Values()
        self.local: defaultdict[Any, WeakSet[LocalValues]] = defaultdict(WeakSet)
        self.new: defaultdict[str, Ids] = defaultdict(dict)
        self.dirty: defaultdict[Any, Ids] = defaultdict(dict)
        self.touched: defaultdict[str, dict[Any, int]] = defaultdict(dict)
        self.links: defaultdict[tuple[str, str, str], dict[tuple[Any, Any], bool]]
        self.links = defaultdict(dict)
        self.todo: defaultdict[Any, Ids] = defaultdict(dict)
        self.keys: defaultdict[tuple[str, tuple[str, ...]], dict[Any, int]] = defaultdict(dict)
        #: computed fields whose values are being made: assigning them is no write
        self.computing: defaultdict[Any, set[Any]] = defaultdict(set)
        self.computing_depth = 0
        #: values assigned in draft to records that are stored: never flushed, never compared
        self.draft: defaultdict[Any, set[Any]] = defaultdict(set)
        #: (model, id) -> names assigned in the draft that is open
        self.drafted: defaultdict[tuple[str, Any], set[str]] = defaultdict(set)
        #: model -> ids given to ``browse``, as far as they are few
        self.browsed: defaultdict[str, set[Any]] = defaultdict(set)
        #: model -> ids deleted by this transaction
        self.deleted: defaultdict[str, set[int]] = defaultdict(set)
        #: (uid, model, mode) -> ids that the rules allow
        self.allowed: defaultdict[tuple[int, str, str], set[Any]] = defaultdict(set)
        #: (uid, model, mode) -> the condition of the rules
        self.rules: dict[tuple[int, str, str], Any] = {}
        #: (uid, model, mode) of which the user has every right, with no rule to ask
        self.unrestricted: set[tuple[int, str, str]] = set()
        #: answers about rights, once this transaction has changed rights; else the registry's
        self.rights: dict[Any, Any] | None = None
        #: (model, names) -> ids found by keys that were looked up together, read together too
        self.together: dict[tuple[str, tuple[str, ...]], Ids] = {}
        #: whether records in draft were made: their values outlive the transaction's
        self.has_drafts = False
        self.free_ids: dict[str, list[int]] = {}
        self.block_size: dict[str, int] = {}
        self.pending_rows = 0
        #: of the cursor, when the transaction began
        self._statements_before = cr.statement_count
        #: of the registry, when its fields were last known to be those of what waits
        self.era: int | None = registry.era
        #: whether records may be in use whose models are of the registry before
        self._has_outdated = False
        self._follow_tables()

    def begins(self) -> bool:
        """Whether nothing was asked or written since the last commit or rollback."""
        return not (self.pending_rows or self.todo) and (
            self.cr.statement_count == self._statements_before
        )

    def take(self, registry: Any) -> None:
        """Go on with the models of another registry: they were loaded anew."""
        self.clear()
        self.registry = registry
        self.era, self._has_outdated = None, True
        self._follow_tables()
        for env in list(self.environments):
            env.registry = registry
            env.known.clear()

    def _follow_tables(self) -> None:
        """Use no statement that the connection prepared for tables as they were."""
        if self.cr.memory.get(ERA) != self.registry.era:
            forget_prepared(self.cr)
            self.cr.memory[ERA] = self.registry.era

    def follow_set_up(self) -> None:
        """The fields were made anew while nothing waited but what is due in ``norecompute``."""
        due = list(self.todo.items())
        self.todo.clear()
        for field, ids in due:
            model = self.registry.models.get(field.model_name)
            if model is not None and field.name in model._fields:
                self.todo[model._fields[field.name]].update(ids)
        self.note_checked()

    def note_checked(self) -> None:
        """What waits is of the fields that the registry has now."""
        if not self._has_outdated:
            self.era = self.registry.era

    def superuser_env(self) -> Any:
        """An environment of the cursor whose user may do everything."""
        assert self.root
        return self.root()

    # -- what the cursor calls ------------------------------------------------------------

    def flush(self) -> None:
        """Compute what is due and write everything that waits."""
        if self.pending_rows or self.todo:
            assert self.flusher
            self.flusher(self)

    def clear(self) -> None:
        """Forget everything, pending writes as well: the transaction was rolled back."""
        self.discard()
        self.forget_values(keep=())
        self.draft.clear()
        self.drafted.clear()
        self.deleted.clear()
        self._end_rights()
        self._statements_before = self.cr.statement_count

    def discard(self) -> None:
        """Forget what waits to be written."""
        for waiting in (self.new, self.dirty, self.touched, self.links, self.todo):
            waiting.clear()
        self.pending_rows = 0

    def drop_updates(self, fields: Iterable[Any], ids: Iterable[int]) -> None:
        """Take back updates of records that go, and what the cache holds of them."""
        for field in fields:
            waiting = self.dirty[field]
            for id_ in ids:
                if id_ in waiting:
                    del waiting[id_]
                    self.values[field].pop(id_, None)
                    self.touched[field.model_name].pop(id_, None)
            if not waiting:
                del self.dirty[field]

    def on_savepoint(self) -> Kept:
        """A savepoint was opened, after a flush; gives what its rollback must not undo."""
        drafts = {
            field: {id_: self.values[field][id_] for id_ in ids if id_ in self.values[field]}
            for field, ids in self.draft.items()
        }
        return Kept(drafts, {field: dict(ids) for field, ids in self.todo.items()})

    def on_savepoint_rollback(self, token: Kept) -> None:
        """
        Everything since the savepoint is undone.

        It was opened with nothing pending, so what waits now is younger than it. Stored
        values may be of either age and are read again; records in draft are no one's but
        the caller's and stay, and so do drafts on stored records that are older.
        """
        self.discard()
        self.forget_values()
        self.draft.clear()
        self.deleted.clear()
        self.restore(token)

    def restore(self, token: Kept) -> None:
        """Put back what a savepoint kept."""
        for field, values in token.drafts.items():
            self.values[field].update(values)
            self.draft[field].update(values)
        self.todo.update(token.todo)

    def on_commit(self) -> None:
        """The transaction is over: others may write what was read in it."""
        self.forget_values()
        self.draft.clear()
        self.deleted.clear()
        self._end_rights()
        self._statements_before = self.cr.statement_count

    def _end_rights(self) -> None:
        self.unrestricted.clear()
        for env in list(self.environments):
            for field in [field for field in env.known if not field.local]:
                del env.known[field]
        if not self.has_drafts:
            self.values.clear()  # no environment looks into its dictionaries any more
        if self.rights is not None:
            self.rights = None
            self.registry.cache.clear()

    # -- forgetting -----------------------------------------------------------------------

    def forget_values(self, keep: Iterable[type] = (NewId,)) -> None:
        """Forget all cached values but those of records in draft."""
        kinds = tuple(keep) if self.has_drafts else ()
        self.values.drop_unasked()
        for values in (*self.values.values(), *(v for all_ in self.local.values() for v in all_)):
            drafts = {id_: v for id_, v in values.items() if not id_} if kinds else {}
            values.clear()
            values.update(drafts)
        self.keys.clear()
        self.browsed.clear()
        self.together.clear()
        self.forget_allowed()
        if self.rights is not None:
            self.change_rights()

    def forget_allowed(self) -> None:
        """Have the rules asked again which records they allow."""
        self.allowed.clear()
        self.rules.clear()

    def change_rights(self) -> None:
        """
        Rights or rules are written: what is known of them is known no more.

        Until its end the transaction asks for itself, so that nobody else sees rights that
        are not committed yet.
        """
        self.rights = {}
        self.unrestricted.clear()
        self.forget_allowed()
        for env in list(self.environments):
            env.known.clear()

    def forget(self, field: Any, ids: Iterable[Any] | None = None) -> None:
        """Forget the values of *field*; those that wait to be written stay."""
        for values in (self.values[field], *self.local.get(field, ())):
            if ids is None:
                waiting = self._waiting(field)
                kept = {i: v for i, v in values.items() if not i or i in waiting}
                values.clear()
                values.update(kept)
            elif values:
                for id_ in ids:
                    if not self.is_pending(field, id_):
                        values.pop(id_, None)

    def forget_drafts(self) -> None:
        """Forget the values assigned in draft to records that are stored."""
        for field, ids in self.draft.items():
            for id_ in ids:
                self.values[field].pop(id_, None)
        self.draft.clear()

    def forget_model(self, model_class: Any) -> None:
        """Forget the values of all fields of a model."""
        for field in model_class._fields.values():
            self.forget(field)

    def _waiting(self, field: Any) -> set[Any]:
        return {*self.dirty.get(field, ()), *self.new.get(field.model_name, ())}

    def is_pending(self, field: Any, id_: Any) -> bool:
        """Does the value of *field* for the record wait to be written?"""
        if field.local:
            return False
        return id_ in self.dirty.get(field, ()) or id_ in self.new.get(field.model_name, ())

    def trim(self, model_class: Any) -> None:
        """Forget a model's values where there are so many that memory counts."""
        self.browsed[model_class._name].clear()
        self.values.drop_unasked(model_class._fields.values())
        for field in model_class._fields.values():
            if len(self.values.get(field, ())) > CACHE_ROWS:
                self.forget(field)
        for names in model_class._natural_keys:
            known = self.keys.get((model_class._name, names), {})
            if len(known) > CACHE_ROWS and not self.new.get(model_class._name):
                known.clear()

    # -- natural keys ---------------------------------------------------------------------

    def forget_keys(self, model_name: str, field_name: str | None = None) -> None:
        """
        Forget the natural keys of a model, or those that a field is part of: the table was changed
        by other means. Records that wait to be inserted are known by them alone, and stay.
        """
        new = self.new.get(model_name, ())
        for (name, names), known in self.keys.items():
            if name == model_name and field_name in (None, *names):
                kept = {key: id_ for key, id_ in known.items() if id_ in new}
                known.clear()
                known.update(kept)

    def forget_key(self, model_name: str, key_values: Any) -> None:
        """
        Forget what is known of a natural key, given as a tuple, or as a mapping by name.

        Whoever takes a lock on the key calls this: neither a miss nor a value remembered
        from before the lock is an answer.
        """
        for (name, names), known in self.keys.items():
            if name != model_name:
                continue
            if isinstance(key_values, Mapping):
                if set(names) != set(key_values):
                    continue
                key = tuple(key_values[part] for part in names)
            else:
                key = tuple(key_values)
            id_ = known.get(key)
            if id_ and id_ in self.new.get(model_name, ()):
                continue  # made by this very transaction: there is nobody to ask
            known.pop(key, None)
            if id_:
                self._forget_record(self.registry.models[model_name], id_)

    def _forget_record(self, model_class: Any, id_: Any) -> None:
        """Forget a record, and those that it shows through ``_inherits``."""
        for parent_name, link in model_class._inherits.items():
            parent_id = self.values[model_class._fields[link]].get(id_)
            if parent_id:
                self._forget_record(self.registry.models[parent_name], parent_id)
        for field in model_class._fields.values():
            self.forget(field, (id_,))

    # -- ids ------------------------------------------------------------------------------

    def reserve_ids(self, sequence: str, count: int) -> list[int]:
        """Take *count* numbers of a sequence, in blocks that grow with use; holes may stay."""
        free = self.free_ids.setdefault(sequence, [])  # the next one last
        if count == 1 and free:
            return [free.pop()]
        if len(free) < count:
            size = max(count - len(free), self.block_size.get(sequence, 1))
            self.block_size[sequence] = min(size * 4, RESERVE_MAX)
            self.cr.execute_unflushed(
                "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", (sequence, size)
            )
            free[:0] = [number for (number,) in reversed(self.cr.fetchall())]
        ids = free[-count:]
        del free[-count:]
        ids.reverse()
        return ids
