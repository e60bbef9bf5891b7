"""
One call, one transaction, on a cursor of its own; run again when others were in the way.

This is the outermost edge of a call: its arguments are given to it, and each try starts from
them anew.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from connector.core import sql
from connector.core.environment import Environment
from connector.core.exceptions import DatabaseMissingError
from connector.core.registry import SUPERUSER_ID, Registry
from connector.server import constraints
from connector.server.deadline import Deadline

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

TRIES = 5
WAIT_SECONDS = 0.05

#: What a call does, given the superuser's environment on its cursor.
Work = Callable[[Any], Result]


def in_transaction(
    database: str, work: Work[Result], deadline: Deadline, isolation_level: str
) -> Result:
    """
    Do *work* and commit it; on an error nothing is changed.

    A serialization failure, a deadlock or a lock that was not to be had is tried again, at most
    5 times, also when it shows at the commit. So is a connection that was lost before it.

    Raises:
        ValidationError: in the place of the error of a constraint of the database.
        CallTimeoutError: the time is over.
    """
    for attempt in range(1, TRIES + 1):
        committing: list[bool] = []
        try:
            return _once(database, work, deadline, isolation_level, committing)
        except sql.errors.Error as error:
            if attempt == TRIES or not _may_repeat(error, bool(committing)):
                deadline.check()
                raise constraints.explained(error, database) from error
            logger.info("Call is run again", extra={"attempt": attempt, "reason": str(error)})
        deadline.begin_again()
        time.sleep(random.uniform(0, WAIT_SECONDS * 2**attempt))  # noqa: S311 - not a secret
    raise AssertionError("the loop returns or raises")


def _once(
    database: str,
    work: Work[Result],
    deadline: Deadline,
    isolation_level: str,
    committing: list[bool],
) -> Result:
    with Environment.manage():
        registry = _registry(database)
        cr = registry.cursor(isolation_level)
        try:
            with deadline.watching(cr):
                current = registry.check_signaling(cr)
                if current is not registry:
                    cr.rollback()  # the snapshot is older than the new models
                result = work(Environment(cr, SUPERUSER_ID, {}))
                _flush(cr)
            deadline.begin_commit()
            committing.append(True)
            cr.commit()
        finally:
            cr.close()
        return result


def _registry(database: str) -> Registry:
    # A connection to a database of no such name would be tried before it is known.
    try:
        return Registry(database)
    except DatabaseMissingError:
        raise DatabaseMissingError(f"There is no database {database!r} here.") from None


def _flush(cr: sql.Cursor) -> None:
    """Meet what is wrong with the writes while there is time, not at the commit."""
    if cr.transaction is not None:
        cr.transaction.flush()


def _may_repeat(error: BaseException, is_committing: bool) -> bool:
    if sql.errors.is_conflict(error):
        return True
    # While a COMMIT is on its way, a lost connection leaves its outcome unknown.
    return sql.errors.is_connection_lost(error) and not is_committing
