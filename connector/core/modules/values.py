"""Values of data files: from text, from names, from small expressions."""

import ast
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connector.core.exceptions import DataFileError, FieldValueError, UnknownFieldError

TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y"})
FALSE_WORDS = frozenset({"", "0", "false", "f", "no", "n", "none"})


def field_of(env: Any, model_name: str, name: str) -> Any:
    """
    Raises:
        UnknownFieldError: the model has no such field.
    """
    fields = env.registry[model_name]._fields
    if name not in fields:
        raise UnknownFieldError(f"The model {model_name!r} has no field {name!r}.")
    return fields[name]


def from_text(field: Any, text: str) -> Any:
    """The value of a field that is written as *text*; empty text is no value."""
    if field.type == "boolean":
        return _boolean(field, text)
    if not text:
        return False
    try:
        if field.type == "integer":
            return int(text)
        if field.type == "float":
            return float(text)
    except ValueError:
        raise FieldValueError(
            f"The {field.type} field {field.name!r} cannot be {text!r}."
        ) from None
    if field.relational:
        raise FieldValueError(
            f"The {field.type} field {field.name!r} needs an external id, not {text!r}."
        )
    return text


def _boolean(field: Any, text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise FieldValueError(f"The boolean field {field.name!r} cannot be {text!r}.")


def from_names(env: Any, field: Any, texts: Sequence[str]) -> list[Any]:
    """Values of a many2one field, each sought by the name of its record."""
    if field.type != "many2one":
        raise FieldValueError(f"Write the column as {field.name}/id, with external ids.")
    comodel = env[field.comodel_name]
    found: dict[str, Any] = {"": False}
    for text in dict.fromkeys(texts):
        if text and text not in found:
            records = comodel.search([(comodel._rec_name or "id", "=", text)])
            if len(records) != 1:
                raise FieldValueError(
                    f"{len(records)} records of {field.comodel_name!r} are named {text!r}, "
                    f"one is needed. Write the column as {field.name}/id."
                )
            found[text] = records.id
    return [found[text] for text in texts]


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_NAMES: dict[str, Any] = {
    "datetime": datetime,
    "DateTime": datetime,
    "time": time,
    "date": date,
    "timedelta": timedelta,
    "UTC": UTC,
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "len": len,
}
#: a text or list may be repeated to this length
REPEATED_MAX = 1_000_000
EXPRESSION_ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
                     ValueError)  # fmt: skip
#: what may be taken off a value with a dot
_ATTRIBUTES = frozenset(
    {"now", "today", "strftime", "isoformat", "replace", "date", "year", "month", "day",
     "lower", "upper", "strip", "join", "id", "ids", "name", "combine", "min", "max"}
)  # fmt: skip


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """
    The value of a small expression: literals, arithmetic, and calls of *names* and dates.

    Raises:
        DataFileError: it is no expression, or uses something else.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise DataFileError(f"{text!r} is no expression: {error.msg}.") from error
    try:
        return _Evaluator({**_NAMES, **names}, text).value(tree.body)
    except EXPRESSION_ERRORS as error:
        raise DataFileError(f"The expression {text!r} fails: {error}.") from error


def _product(left: Any, right: Any) -> Any:
    for sequence, times in ((left, right), (right, left)):
        repeated = hasattr(sequence, "__len__") and isinstance(times, int)
        if repeated and len(sequence) * times > REPEATED_MAX:
            raise OverflowError(f"{times} times is too often")
    return left * right


class _Evaluator:
    def __init__(self, names: Mapping[str, Any], text: str) -> None:
        self._names = names
        self._text = text

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items):
                return [self.value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Set(elts=items):
                return {self.value(item) for item in items}
            case ast.Dict(keys=keys, values=values) if None not in keys:
                return {
                    self.value(key): self.value(value)
                    for key, value in zip(keys, values, strict=True)
                    if key is not None
                }
            case ast.UnaryOp(op=op, operand=operand):
                if type(op) in _UNARY:
                    return _UNARY[type(op)](self.value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](self.value(left), self.value(right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return _product(self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _COMPARISONS[type(op)](self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=[left, *others]):
                found = self.value(left)
                for other in others:
                    if bool(found) is isinstance(op, ast.Or):
                        break
                    found = self.value(other)
                return found
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.value(test) else orelse)
            case ast.Name(id=name) if name in self._names:
                return self._names[name]
            case ast.Name(id=name):
                raise DataFileError(
                    f"The expression {self._text!r} uses the unknown name {name!r}. "
                    f"Known are: {', '.join(sorted(self._names))}."
                )
            case ast.Attribute(value=owner, attr=name):
                record = self.value(owner)
                # Of a record its fields alone: with its environment anything could be done.
                if name in getattr(type(record), "_fields", _ATTRIBUTES) or name == "ids":
                    return getattr(record, name)
            case ast.Call(func=function, args=args, keywords=keywords):
                return self.value(function)(
                    *[self.value(arg) for arg in args],
                    **{key.arg: self.value(key.value) for key in keywords if key.arg},
                )
        raise DataFileError(
            f"The expression {self._text!r} uses {ast.unparse(node)!r}, which data files may not."
        )
