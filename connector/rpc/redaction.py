"""Finds the secrets of a call and hides them in what is shown of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

HIDDEN = "***"

#: Data nested deeper than this is not shown at all.
MAX_DEPTH = 20

#: Where the arguments of a service hold a password: service -> method -> places.
SECRET_PLACES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "common": {"login": (2,), "authenticate": (2,), "set_loglevel": (0,)},
    "object": {"execute": (2,), "execute_kw": (2,)},
    "db": {
        "create_database": (0, 4),
        "change_admin_password": (0, 1),
        "duplicate_database": (0,),
        "drop": (0,),
        "dump": (0,),
        "restore": (0,),
        "rename": (0,),
        "migrate_databases": (0,),
        "list_countries": (0,),
    },
}

_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|api_?key|credential", re.IGNORECASE)


def secrets_of_call(service: str, method: str, args: Sequence[Any], kwargs: Any) -> set[str]:
    """Every password among the arguments, by its place or by the name of its field."""
    places = SECRET_PLACES.get(service, {}).get(method, ())
    found = {str(args[place]) for place in places if place < len(args)}
    found.update(_named_secrets(args, MAX_DEPTH))
    found.update(_named_secrets(kwargs, MAX_DEPTH))
    return found


def secrets_of_url(url: str) -> set[str]:
    """The password that stands before the host, as written and as meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()


def shown_url(url: str) -> str:
    """*url* without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redact(value: Any, secrets: Collection[str]) -> Any:
    """A copy of *value*, text or JSON data, in which every secret is hidden."""
    return _redact(value, _spellings(secrets), MAX_DEPTH)


def _redact(value: Any, spellings: Sequence[str], depth: int) -> Any:
    if isinstance(value, str):
        for spelling in spellings:
            value = value.replace(spelling, HIDDEN)
        return value
    if not depth:
        return HIDDEN
    if isinstance(value, dict):
        return {
            _redact(key, spellings, depth - 1): _redact(item, spellings, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(item, spellings, depth - 1) for item in value]
    return HIDDEN if str(value) in spellings else value


def _spellings(secrets: Collection[str]) -> list[str]:
    """The ways a secret appears in messages and tracebacks, the longest first."""
    spellings = {
        spelling
        for secret in secrets
        for spelling in (
            secret,
            repr(secret)[1:-1],
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            quote(secret, safe="", errors="replace"),
        )
        if spelling
    }
    return sorted(spellings, key=len, reverse=True)


def _named_secrets(value: Any, depth: int) -> Iterator[str]:
    if not depth:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and _SECRET_NAME.search(str(key)):
                yield item
            yield from _named_secrets(item, depth - 1)
    elif isinstance(value, list | tuple):
        match value:
            case [str(name), str(), str(item)] if _SECRET_NAME.search(name):  # a domain's term
                yield item
        for item in value:
            yield from _named_secrets(item, depth - 1)
