"""
Values of models as the wire carries them.

Dates become text as 8.0 writes them, bytes become text, records their ids, anything else text.
"""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from defusedxml.xmlrpc import DefusedExpatParser

DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"
DATE_FORMAT = "%Y-%m-%d"

#: XML has no other characters below the blank.
_CONTROL = dict.fromkeys(set(range(32)) - {9, 10, 13})


def to_json(value: Any) -> bytes:
    """
    The JSON text of a value.

    Raises:
        ValueError: a float is no number; JSON has no word for that.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain)
    except TypeError:  # a key that is no text and no number
        text = json.dumps(_text_keys(value), ensure_ascii=False, default=plain)
    return text.encode(errors="replace")


def plain(value: Any) -> Any:
    """What stands for a value that JSON does not know."""
    if isinstance(value, datetime):
        return value.strftime(DATETIME_FORMAT)
    if isinstance(value, date):
        return value.strftime(DATE_FORMAT)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="replace")
    if hasattr(value, "_ids"):
        return list(value._ids)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    return str(value)


def _text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text_keys(item) for item in value]
    return value


class _Dispatch(dict[Any, Any]):
    """Type -> how it is written; what no one has heard of is written as what stands for it."""

    def __missing__(self, kind: Any) -> Any:
        return _Marshaller.dump_other


class _Marshaller(xmlrpc.client.Marshaller):
    """Writes what models return; the standard one refuses most of it."""

    dispatch: dict[Any, Any] = _Dispatch(xmlrpc.client.Marshaller.dispatch)

    def dump_text(self, value: str, write: Callable[[str], object]) -> None:
        self.dump_unicode(value.translate(_CONTROL), write)

    def dump_mapping(self, value: Mapping[Any, Any], write: Callable[[str], object]) -> None:
        texts = {str(key).translate(_CONTROL): item for key, item in value.items()}
        self.dump_struct(texts, write)

    def dump_other(self, value: Any, write: Callable[[str], object]) -> None:
        simple = plain(value)
        self.dispatch[type(simple)](self, simple, write)

    dispatch[str] = dump_text
    dispatch[dict] = dump_mapping
    for _kind in (bytes, bytearray, datetime):
        dispatch[_kind] = dump_other


def to_xmlrpc(value: Any) -> bytes:
    """
    An answer of XML-RPC.

    Raises:
        TypeError: the value is, or holds, None, for which the protocol has no word.
        OverflowError: a number needs more than 32 bits.
    """
    return _methods_response(_Marshaller("utf-8").dumps((value,)))


def fault_to_xmlrpc(fault: xmlrpc.client.Fault) -> bytes:
    """An answer of XML-RPC that tells an error."""
    told = {"faultCode": fault.faultCode, "faultString": fault.faultString}
    body = _Marshaller("utf-8").dumps((told,))
    inner = body.removeprefix("<params>\n<param>\n").removesuffix("</param>\n</params>\n")
    return _methods_response(f"<fault>\n{inner}</fault>\n")


def _methods_response(body: str) -> bytes:
    text = f"<?xml version='1.0'?>\n<methodResponse>\n{body}</methodResponse>\n"
    return text.encode(errors="replace")


def from_xmlrpc(body: bytes) -> tuple[str | None, tuple[Any, ...]]:
    """
    Method and arguments of a call; entities and outside references are refused.

    Raises:
        ValueError: *body* is no call.
    """
    reader = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    parser = DefusedExpatParser(reader)
    try:
        parser.feed(body)
        parser.close()
        return reader.getmethodname(), tuple(reader.close())
    except Exception as error:  # each parser has its own
        raise ValueError(f"The body is no call of XML-RPC: {type(error).__name__}.") from error
