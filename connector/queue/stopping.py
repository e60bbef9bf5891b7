"""
Stopping jobs that run.

The row of a started job belongs to its worker, so the worker is asked: it rolls the job back and
writes `failed`, with `JobStoppedError`.  Nobody waits for the answer of a worker that is gone;
the sweep takes up its job.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from connector.queue.broker import Broker
from connector.queue.by_hand import SELECTED, Selection
from connector.queue.state import State

#: A question may come before the worker listens, so it is repeated.
ASK_SECONDS = 1.0
POLL_SECONDS = 0.1

_RUNNING = f"SELECT uuid, attempt FROM queue_job WHERE {SELECTED}"  # noqa: S608  # constant


def ask(cr: Any, broker: Broker, selection: Selection) -> dict[str, int]:
    """
    Ask the workers of those jobs that run to stop them; answer their uuids and attempts.

    Raises:
        BrokerDownError: Redis is away; nobody is asked.
    """
    cr.execute(_RUNNING, replace(selection, states=[State.STARTED]).params)
    running = dict(cr.fetchall())
    broker.stop(cr.dbname, list(running))
    return running


def stop(
    cr: Any, broker: Broker, selection: Selection, seconds: float
) -> Iterator[tuple[str, bool]]:
    """
    Stop the jobs that run and wait for that, at most *seconds*; tell of each whether it ended.

    It commits what *cr* has read, to see what others write.

    Raises:
        BrokerDownError: see `ask`.
    """
    end = time.monotonic() + seconds
    asked = ask(cr, broker, selection)
    selection = Selection(list(asked))
    while asked and time.monotonic() < end:
        again = min(end, time.monotonic() + ASK_SECONDS)
        while asked and time.monotonic() < again:
            time.sleep(POLL_SECONDS)
            cr.commit()
            cr.execute(_RUNNING, replace(selection, states=[State.STARTED]).params)
            running = cr.fetchall()
            for uuid in [uuid for uuid, start in asked.items() if (uuid, start) not in running]:
                del asked[uuid]
                yield uuid, True
        broker.stop(cr.dbname, list(asked))
    yield from ((uuid, False) for uuid in asked)
