"""Writing down what became of a start of a job, after its effect was rolled back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from connector.core import SUPERUSER_ID, sql
from connector.queue import failure, transitions
from connector.queue.transitions import Start
from connector.session import ConnectorSession
from queue_worker.outcome import Failed, Finished, Lost, Outcome, Postponed

logger = logging.getLogger(__name__)

#: Times that the end of a job is written again because another transaction was in the way.
WRITE_TRIES = 5


def conclude(cr: sql.Cursor, uuid: str, fence: Start, outcome: Outcome | None) -> None:
    """Write the outcome in a transaction of its own; None is one that is committed already."""
    about = {"job": uuid}
    match outcome:
        case Finished(result):
            _write(cr, lambda: transitions.finish(cr, fence, result))
        case Postponed(seconds, note, exc_name, spent):
            logger.info("Job comes back: %s", note, extra=about)
            options: dict[str, Any] = {"note": note, "exc_name": exc_name, "spent": spent}
            _write(cr, lambda: transitions.postpone(cr, fence, seconds=seconds, **options))
        case Failed(exc_name, message, exc_info):
            logger.error("Job failed: %s", message, extra=about)
            told = {"exc_name": exc_name, "message": message, "exc_info": exc_info}
            _write(cr, lambda: transitions.fail(cr, fence, **told))
            _tell_failure(cr, uuid)
        case Lost():
            logger.warning("Connection lost; the sweep decides", extra=about)


def roll_back(cr: sql.Cursor) -> None:
    """Undo what was done, as far as there is a server that would not do it itself."""
    if cr.connection.closed:
        return
    try:
        cr.rollback()
    except sql.errors.Error:
        logger.debug("The rollback failed", exc_info=True)


def _tell_failure(cr: sql.Cursor, uuid: str) -> None:
    """Tell those who follow the job; nothing depends on it."""
    try:
        failure.tell(ConnectorSession(cr, SUPERUSER_ID, {}), uuid)
        cr.commit()
    except Exception:
        logger.exception("Nobody is told of the failure", extra={"job": uuid})
        roll_back(cr)


def _write(cr: sql.Cursor, change: Callable[[], bool]) -> None:
    for last in (*[False] * (WRITE_TRIES - 1), True):
        try:
            change()
            cr.commit()
            return
        except (sql.errors.UniqueViolation, sql.errors.OperationalError) as error:
            if last or sql.errors.is_connection_lost(error):
                raise
            cr.rollback()
