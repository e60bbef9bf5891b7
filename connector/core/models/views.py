"""Live views of the transaction in the shapes that environments have always shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Prefetch", "Todo"]


class Prefetch(Mapping[str, set[Any]]):
    """model name -> ids of which the cache holds something."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def __getitem__(self, model_name: str) -> set[Any]:
        ids: set[Any] = set()
        for field, values in self._transaction.values.items():
            if field.model_name == model_name:
                ids.update(values)
        return ids

    def __iter__(self) -> Iterator[str]:
        held = (field.model_name for field, values in self._transaction.values.items() if values)
        return iter(dict.fromkeys(held))

    def __len__(self) -> int:
        return sum(1 for _ in self)


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
