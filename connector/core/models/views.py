"""Live views of the transaction in the shapes that environments have always shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

__all__ = ["Cache", "CachedValues", "Computed", "Dirty", "Prefetch", "PrefetchIds", "Todo"]


class CachedValues(Mapping[Any, Any]):
    """id -> value of one field, as the environment's user may read it; no value is False."""

    def __init__(self, env: Any, field: Any) -> None:
        self._env = env
        self._field = field

    def _held(self) -> dict[Any, Any]:
        held: dict[Any, Any] = self._env.known[self._field]
        return held

    def __getitem__(self, id_: Any) -> Any:
        value = self._held()[id_]
        return self._field.null if value is None else value

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(self._held()))

    def __len__(self) -> int:
        return len(self._held())

    def __repr__(self) -> str:
        return repr(dict(self))


class Cache(Mapping[Any, CachedValues]):
    """field -> {id: value}; the id of a link, and a tuple of ids of an x2many."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def __getitem__(self, field: Any) -> CachedValues:
        return CachedValues(self._env, field)

    def __contains__(self, field: object) -> bool:
        return any(field is held for held in self)

    def __iter__(self) -> Iterator[Any]:
        env = self._env
        held = [field for field, values in env.transaction.values.items() if values]
        held += [field for field in env.known if field.local]
        return (field for field in dict.fromkeys(held) if env.known[field])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr({field: dict(values) for field, values in self.items()})


class PrefetchIds(Set[Any]):
    """The ids of one model that were browsed, or of which the cache holds something."""

    def __init__(self, transaction: Any, model_name: str) -> None:
        self._transaction = transaction
        self._model_name = model_name

    def _held(self) -> set[Any]:
        ids = set(self._transaction.browsed.get(self._model_name, ()))
        for field, values in self._transaction.values.items():
            if field.model_name == self._model_name:
                ids.update(values)
        return ids

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return set(it)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._held()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held())

    def __len__(self) -> int:
        return len(self._held())

    def __repr__(self) -> str:
        return repr(self._held())


class Prefetch(Mapping[str, PrefetchIds]):
    """model name -> ids to be read together."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def __getitem__(self, model_name: str) -> PrefetchIds:
        return PrefetchIds(self._transaction, model_name)

    def __contains__(self, model_name: object) -> bool:
        return model_name in tuple(self)

    def __iter__(self) -> Iterator[str]:
        transaction = self._transaction
        held = [name for name, ids in transaction.browsed.items() if ids]
        held += [field.model_name for field, values in transaction.values.items() if values]
        return iter(dict.fromkeys(held))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


class Computed(Mapping[Any, frozenset[Any]]):
    """field -> ids whose value is being computed; no ids for a field of which there are none."""

    def __init__(self, transaction: Any) -> None:
        self._computing = transaction.computing

    def __getitem__(self, field: Any) -> frozenset[Any]:
        return frozenset(self._computing.get(field, ()))

    def __contains__(self, field: object) -> bool:
        return bool(self._computing.get(field))

    def __iter__(self) -> Iterator[Any]:
        return iter([field for field, ids in self._computing.items() if ids])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


class Dirty(Set[Any]):
    """
    The records with values that are not in the table: those that wait, and those in draft.

    ``env.dirty[record]`` gives the names of the fields.
    """

    def __init__(self, env: Any) -> None:
        self._env = env

    def _held(self) -> dict[tuple[str, Any], set[str]]:
        transaction = self._env.transaction
        found = {key: set(names) for key, names in transaction.drafted.items()}
        for model_name, ids in transaction.new.items():
            fields = self._env.registry[model_name]._fields.values()
            columns = {field.name for field in fields if field.is_column}
            for id_ in ids:
                found.setdefault((model_name, id_), set()).update(columns)
        for field, ids in transaction.dirty.items():
            for id_ in ids:
                found.setdefault((field.model_name, id_), set()).add(field.name)
        return found

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return set(it)

    def __getitem__(self, record: Any) -> set[str]:
        return self._held().get((record._name, record._ids[0]), set())

    def __contains__(self, record: Any) -> bool:
        return len(record) == 1 and (record._name, record._ids[0]) in self._held()

    def __iter__(self) -> Iterator[Any]:
        return (
            self._env[model_name]._browse(self._env, (id_,)) for model_name, id_ in self._held()
        )

    def __len__(self) -> int:
        return len(self._held())

    def __repr__(self) -> str:
        return repr(set(self))


class Todo(Mapping[Any, list[Any]]):
    """field -> recordsets to recompute, of all transactions that the environments reach."""

    def __init__(self, environments: Any) -> None:
        self._environments = environments

    def _held(self) -> dict[Any, list[Any]]:
        found: dict[Any, list[Any]] = {}
        seen = set()
        for env in self._environments:
            if id(env.transaction) in seen:
                continue
            seen.add(id(env.transaction))
            for field, ids in env.transaction.todo.items():
                if ids:
                    found.setdefault(field, []).append(env[field.model_name].browse(ids))
        return found

    def __getitem__(self, field: Any) -> list[Any]:
        return self._held()[field]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held())

    def __len__(self) -> int:
        return len(self._held())

    def __repr__(self) -> str:
        return repr(self._held())
