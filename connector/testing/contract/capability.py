"""What an adapter may be able to do, and the mark of the tests that need it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Capability(StrEnum):
    """What an adapter can do; each has its tests."""

    SEARCH = "search"  #: `search` gives the ids of all records
    READ = "read"  #: `read` gives a record by its id
    READ_MANY = "read_many"  #: `read_many` gives several
    SEARCH_READ = "search_read"  #: `search_read` gives whole records
    PAGES = "pages"  #: `search_page` goes through more than one page
    SINCE = "since"  #: a filter gives what changed since a moment
    CREATE = "create"  #: `create` makes a record
    IDEMPOTENT_CREATE = "idempotent_create"  #: `create` with one key makes one record
    FIND = "find"  #: `find` gives the record made of some data, by a natural key
    WRITE = "write"  #: `write` changes some fields of a record
    DELETE = "delete"  #: `delete` removes a record
    ERRORS = "errors"  #: failures of HTTP become the connector's errors
    ACCESS = "access"  #: the backend refuses a wrong secret


def needs(*capabilities: Capability) -> Callable[[F], F]:
    """Let a test of the contract run where all of these are declared."""

    def decorate(func: F) -> F:
        func.needed_capabilities = capabilities  # type: ignore[attr-defined]  # read by a fixture
        return func

    return decorate
