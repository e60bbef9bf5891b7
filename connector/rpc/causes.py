"""What the exception of an HTTP client says of the request, whichever library raised it."""

from __future__ import annotations

from collections.abc import Iterator

from connector.rpc.errors import Kind
from connector.rpc.failures import NotSent

# Libraries are known by the names of their exceptions, so that none need be installed.
#: no connection was made
NOT_SENT = frozenset(
    {
        "ClientConnectorError",
        "ConnectError",
        "ConnectTimeout",
        "ConnectionRefusedError",
        "ConnectionTimeoutError",
        "PoolTimeout",
    }
)
#: a connection broke; what else went wrong is then a library's own second try
SENT = frozenset({"BrokenPipeError", "ConnectionResetError", "RemoteDisconnected"})
#: the address is none
UNSENDABLE = frozenset({"InvalidURL", "UnsupportedProtocol"})


def kind_of(cause: Exception) -> Kind:
    """The kind of failure that an exception raised while posting means."""
    if isinstance(cause, NotSent):
        return Kind.UNREACHED
    if isinstance(cause, ValueError) or type(cause).__name__ in UNSENDABLE:
        return Kind.PROTOCOL  # the request itself is at fault: its address, its content
    names = {type(each).__name__ for each in chain(cause)}
    return Kind.UNREACHED if names & NOT_SENT and not names & SENT else Kind.LOST


def is_cut_short(cause: Exception) -> bool:
    """Whether reading a body failed, not understanding it; some libraries read it late."""
    if isinstance(cause, ValueError):
        return False
    return isinstance(cause, OSError) or type(cause).__name__ == "ClientPayloadError"


def chain(cause: BaseException | None) -> Iterator[BaseException]:
    """An exception, what caused it, what caused that, and so on."""
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
