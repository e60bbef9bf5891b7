"""Decorators of model methods: they mark what a method is for; the model setup reads the marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

__all__ = [
    "constrains",
    "depends",
    "model",
    "model_cr",
    "model_cr_context",
    "model_create_multi",
    "multi",
    "onchange",
    "one",
    "private",
    "returns",
]

Method = TypeVar("Method", bound=Callable[..., Any])


def model(method: Method) -> Method:
    """
    Mark a method that works on the model as a whole: the ids of ``self`` mean nothing to it.

    A ``create`` of that mark is given one dictionary at a time, whatever its caller has.
    """
    marked: Method = _of_one(method) if method.__name__ == "create" else method
    return _marked(marked, _api="model")


def model_create_multi(method: Method) -> Method:
    """Mark a ``create`` that is given a list of dictionaries, whatever its caller has."""
    marked: Method = _of_many(method)
    return _marked(marked, _api="model")


def _of_one(create: Any) -> Any:
    @wraps(create)
    def of_one(self: Any, vals: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(vals, Mapping):
            return create(self, vals, *args, **kwargs)
        return self.browse().concat(*[create(self, each, *args, **kwargs) for each in vals])

    return of_one


def _of_many(create: Any) -> Any:
    @wraps(create)
    def of_many(self: Any, vals: Any, *args: Any, **kwargs: Any) -> Any:
        given = [vals] if isinstance(vals, Mapping) else vals
        return create(self, given, *args, **kwargs)

    return of_many


model_cr = model
model_cr_context = model


def multi(method: Method) -> Method:
    """Mark a method that works on any number of records. It is the default."""
    return _marked(method, _api="multi")


def private(method: Method) -> Method:
    """Keep a method, for all that its name is public, from callers of the external API."""
    return _marked(method, _private=True)


def one(method: Callable[..., Any]) -> Callable[..., Any]:
    """Call a method once per record; the caller gets the list of its results."""

    @wraps(method)
    def each(self: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return [method(record, *args, **kwargs) for record in self]

    return _marked(each, _api="one")


def depends(*paths: str | Callable[[Any], Any]) -> Callable[[Method], Method]:
    """
    Name the fields that a computed field reads, as dotted paths from the record.

    One function may stand in place of the paths: it is given the model and returns them.
    """
    return lambda method: _marked(method, _depends=_joined(method, "_depends", paths))


def constrains(*names: str) -> Callable[[Method], Method]:
    """Call the method after a create or write of one of these fields; it raises to refuse."""
    _only_simple_names("constrains", names)
    return lambda method: _marked(method, _constrains=_joined(method, "_constrains", names))


def onchange(*names: str) -> Callable[[Method], Method]:
    """Call the method on a record in draft when a person has changed one of these fields."""
    _only_simple_names("onchange", names)
    return lambda method: _marked(method, _onchange=_joined(method, "_onchange", names))


def returns(
    model_name: str | None,
    downgrade: Callable[..., Any] | None = None,
    upgrade: Callable[..., Any] | None = None,
) -> Callable[[Method], Method]:
    """
    Name the model of the records that a method returns; ``"self"`` means its own.

    The callables translate the result to and from plain values at the external API.
    """
    return lambda method: _marked(method, _returns=(model_name, downgrade, upgrade))


def _marked(method: Method, **marks: Any) -> Method:
    for name, value in marks.items():
        setattr(method, name, value)
    return method


def _joined(method: Any, mark: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*getattr(method, mark, ()), *values)


def _only_simple_names(decorator: str, names: tuple[str, ...]) -> None:
    dotted = [name for name in names if not isinstance(name, str) or "." in name]
    if dotted:
        raise ValueError(
            f"@{decorator} takes plain field names of the model, not {dotted[0]!r}. "
            f"Name the first field of the path."
        )
