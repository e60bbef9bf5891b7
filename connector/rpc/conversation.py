"""How a call gets its result: log in where needed, try again where it is safe. No I/O."""

from __future__ import annotations

import logging
import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from connector.rpc.errors import Kind, RPCError
from connector.rpc.protocol import Call, envelope
from connector.rpc.repeating import may_repeat

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Statuses by which a server, or a proxy before it, says that it is busy.
BUSY_STATUSES = frozenset({429, 502, 503, 504})

#: Errors by which the database says that another transaction was in the way.
CONFLICTS = frozenset({"DeadlockDetected", "LockNotAvailable", "SerializationFailure"})


class Send(NamedTuple):
    """Ask the face to send a call and hand its result, or its error, back in."""

    call: Call[Any]


class Pause(NamedTuple):
    """Ask the face to wait."""

    seconds: float


#: A talk with the server: asks for steps, is given their results, returns the caller's value.
Conversation = Generator[Send | Pause, Any, T]


@dataclass(frozen=True)
class Retries:
    """How often, and how long after, a call that is safe to repeat is sent again."""

    #: tries in all, the first included
    attempts: int = 3
    #: the first wait is random up to this, each further one up to twice the one before
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 10.0

    def wait_before(self, attempt: int) -> float:
        """Seconds to wait before try number *attempt*, the first repetition being 2."""
        longest = min(self.first_wait_seconds * 2.0 ** (attempt - 2), self.longest_wait_seconds)
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, hides nothing


def persistent(call: Call[T], retries: Retries) -> Conversation[T]:
    """
    The result of *call*, sent again while that is safe and promises something.

    Raises:
        RPCError: the last try's, or the first one that is not worth repeating.
    """
    attempt = 1
    while True:
        try:
            result: T = yield Send(call)
        except RPCError as error:
            attempt += 1
            wait = max(retries.wait_before(attempt), error.retry_after_seconds or 0.0)
            if attempt > retries.attempts or not is_worth_repeating(error, call):
                raise
            if wait > retries.longest_wait_seconds:
                raise  # the caller can do better than wait this long
            logger.info("Call is sent again", extra={"call": str(call), "attempt": attempt})
        else:
            return result
        yield Pause(wait)


def is_worth_repeating(error: RPCError, call: Call[Any]) -> bool:
    """Whether *call* may be sent again after *error*, and might then succeed."""
    if error.kind is Kind.UNREACHED:
        return True
    if not may_repeat(envelope(call)[0]):
        return False
    if error.kind is Kind.HTTP:
        return error.code in BUSY_STATUSES
    if error.kind is Kind.SERVER:
        return (error.name or "").rpartition(".")[2] in CONFLICTS
    return error.kind is Kind.LOST


@dataclass
class Account:
    """Who calls, and in which database."""

    database: str
    login: str | None
    password: str = field(repr=False)
    uid: int | None = None

    def accept(self, uid: int | bool) -> int:
        """
        Keep the id that the server gave.

        Raises:
            RPCError: it gave none, as login or password is wrong.
        """
        if uid is False:
            raise RPCError(
                f"Login {self.login!r} is refused in database {self.database!r}: "
                "login or password is wrong, or the user is archived.",
                kind=Kind.SERVER,
            )
        self.uid = uid
        return uid
