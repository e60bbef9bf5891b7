"""
What a running job tells: lines and progress, seen at once and kept when it is rolled back.

Both are written on a second connection, in tables of their own: the row of a started job
changes with its state alone.
"""

from __future__ import annotations

import logging
from typing import Any

from connector.core import sql
from connector.queue import codec
from connector.session import ConnectorSession

logger = logging.getLogger(__name__)

_LINE = """
INSERT INTO queue_job_log (job_uuid, date, level, message)
VALUES (%(uuid)s, clock_timestamp() AT TIME ZONE 'UTC', %(level)s, %(message)s)
"""

_PROGRESS = """
INSERT INTO queue_job_progress (job_uuid, date, done, total)
VALUES (%(uuid)s, clock_timestamp() AT TIME ZONE 'UTC', %(done)s, %(total)s)
ON CONFLICT (job_uuid) DO UPDATE
   SET date = excluded.date, done = excluded.done, total = excluded.total
"""


def log(session: ConnectorSession, message: str, level: int = logging.INFO) -> None:
    """Write a line to the log, and, inside a job, to what is kept of the job."""
    logger.log(level, "%s", message, extra={"job": session.context.get("job_uuid")})
    values = {
        "level": logging.getLevelName(level).lower(),
        "message": codec.printable(str(message)),
    }
    _write(session, _LINE, values)


def report_progress(session: ConnectorSession, done: int, total: int | None = None) -> None:
    """Tell how much of the running job is done; outside a job nobody is told."""
    _write(session, _PROGRESS, {"done": done, "total": total})


def lines(cr: Any, uuid: str) -> list[tuple[Any, str, str]]:
    """When, how grave and what: the lines that a job has written."""
    cr.execute(
        "SELECT date, level, message FROM queue_job_log WHERE job_uuid = %s ORDER BY id", (uuid,)
    )
    found: list[tuple[Any, str, str]] = cr.fetchall()
    return found


def progress(cr: Any, uuid: str) -> tuple[int, int | None] | None:
    """How much of a job is done, and of how much; None when it tells nothing."""
    cr.execute("SELECT done, total FROM queue_job_progress WHERE job_uuid = %s", (uuid,))
    found: tuple[int, int | None] | None = cr.fetchone()
    return found


def _write(session: ConnectorSession, statement: str, values: dict[str, Any]) -> None:
    uuid = session.context.get("job_uuid")
    if not uuid:
        return
    with sql.connect(session.cr.dbname).cursor(sql.READ_COMMITTED) as cr:
        # A line that a crash of the server loses is no loss worth a wait for the disk.
        cr.execute("SET LOCAL synchronous_commit TO off")
        cr.execute(statement, {**values, "uuid": uuid})
