"""Runs a whole transaction again when others were in its way; for the outermost edge only."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from connector.core.sql.errors import Error, is_conflict

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

#: how often a transaction is run at most
TRIES = 5
WAIT_SECONDS = 0.05


def retried(transaction: Callable[[], Result], tries: int = TRIES) -> Result:
    """
    Call *transaction*, and again after a serialization failure, a deadlock or a lock timeout.

    It begins and ends its own transaction, so that each try starts from nothing; the random
    wait between two doubles each time.

    Raises:
        Error: the conflict of the last try, and any other error at once.
    """
    for attempt in range(1, tries + 1):
        try:
            return transaction()
        except Error as error:
            if attempt == tries or not is_conflict(error):
                raise
            logger.info("Transaction is run again", extra={"attempt": attempt, "reason": error})
        time.sleep(random.uniform(0, WAIT_SECONDS * 2**attempt))  # noqa: S311 - not a secret
    raise AssertionError("the loop returns or raises")
