"""
The dispatcher of one database: claims pending jobs, commits, then pushes them to Redis.

One is elected by a session lock; the others stand by.  It keeps nothing in memory that grows
with the number of jobs: order, seats and waits are in the table.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from connector.core import sql
from connector.queue import cron, transitions
from connector.queue.broker import Broker, BrokerDownError
from connector.queue.channel_store import read_tree
from connector.queue.channels import ChannelSettings, ChannelTree, Seats, chain
from connector.queue.schema import NOTIFY_CHANNEL

logger = logging.getLogger(__name__)

#: First integer of the session lock of the elected dispatcher; the second is 0.
DISPATCHER_LOCK_CLASS = 0x646973

#: Jobs claimed in one transaction at most.
CLAIM_LIMIT = 500
#: Seconds between two looks at everything, whatever the notifications say.
POLL_SECONDS = 1.0

_UTC_NOW = "SELECT clock_timestamp() AT TIME ZONE 'UTC'"

_TAKEN = """
SELECT channel, count(*) FROM queue_job WHERE state IN ('enqueued', 'started') GROUP BY channel
"""

# One step in the index for each channel that has waiting jobs, however many wait.
_WAITING_CHANNELS = """
WITH RECURSIVE waiting AS (
    SELECT min(channel) AS channel FROM queue_job WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(channel) FROM queue_job
             WHERE state = 'pending' AND channel > waiting.channel)
      FROM waiting WHERE waiting.channel IS NOT NULL
)
SELECT channel FROM waiting WHERE channel IS NOT NULL
"""

# A sequential channel does not overtake a job that waits for its time.
_CANDIDATES = """
SELECT job.id, job.uuid, seat.channel
  FROM unnest(%(channels)s::text[], %(rooms)s::integer[], %(sequential)s::boolean[])
       AS seat (channel, room, sequential)
 CROSS JOIN LATERAL (
       SELECT id, uuid, priority, date_created FROM queue_job AS due
        WHERE due.state = 'pending' AND due.channel = seat.channel
          AND (due.eta IS NULL OR due.eta <= %(now)s)
          AND NOT (seat.sequential AND EXISTS (
              SELECT FROM queue_job AS ahead
               WHERE ahead.state = 'pending' AND ahead.channel = seat.channel
                 AND ahead.eta > %(now)s
                 AND (ahead.priority, ahead.date_created, ahead.id)
                     < (due.priority, due.date_created, due.id)))
        ORDER BY due.priority, due.date_created, due.id
        LIMIT seat.room
          FOR NO KEY UPDATE SKIP LOCKED
       ) AS job
 ORDER BY job.priority, job.date_created, job.id
"""

_SECONDS_TO_NEXT_ETA = """
SELECT extract(epoch FROM min(eta) - present.moment)::float
  FROM queue_job, (SELECT clock_timestamp() AT TIME ZONE 'UTC') AS present (moment)
 WHERE state = 'pending' AND eta > present.moment GROUP BY present.moment
"""
_FAILED = "SELECT DISTINCT channel FROM queue_job WHERE state = 'failed'"
_LAST_START = "SELECT max(date_enqueued) FROM queue_job WHERE channel = %(channel)s"


def last_start(cr: Any, tree: ChannelTree, name: str) -> datetime | None:
    """When a job of a channel, or of one below it, was handed over last."""
    moments = []
    for channel in tree:
        if name in chain(channel.name):
            cr.execute_unflushed(_LAST_START, {"channel": channel.name})
            moments.append(cr.fetchone()[0])
    return max((moment for moment in moments if moment is not None), default=None)


class Dispatcher:
    """
    Hands the jobs of one database to the workers.

    *configured* are the channels of the configuration; what is set in the database, live, wins.
    `step` does all that is due; the caller waits on `fileno` and on Redis, at most for the
    seconds that it answers.
    """

    def __init__(
        self, database: str, broker: Broker, configured: Iterable[ChannelSettings] = ()
    ) -> None:
        self.database = database
        self._broker = broker
        self._configured = list(configured)
        self._cr = sql.connect(database).cursor(sql.READ_COMMITTED)
        self._elected = False
        self._unknown: set[str] = set()
        self._last_tree = ChannelTree()
        self._tree_read = self._crons_seen = -POLL_SECONDS
        self._listen()

    @property
    def elected(self) -> bool:
        return self._elected

    @property
    def cr(self) -> sql.Cursor:
        """The cursor, for the sweep that works between two steps."""
        return self._cr

    def fileno(self) -> int:
        return self._cr.fileno()

    def step(self) -> float:
        """
        Hand over all that may start now; answer the seconds until there is something to do.

        Raises:
            BrokerDownError: Redis is away; nothing is claimed or it is given back.
        """
        self._cr.poll_notifies()
        if not self._is_elected():
            return POLL_SECONDS
        self._hand_out_crons()
        self._give_back_paused()
        while self._dispatch() >= CLAIM_LIMIT:
            pass
        return self._seconds_to_next()

    def close(self) -> None:
        """Step down, so that another dispatcher is elected at once."""
        if self._cr.closed:
            return
        try:
            if not self._cr.connection.closed:
                self._cr.rollback()
                self._cr.execute("UNLISTEN *; RESET synchronous_commit")
                transitions.release_locks(self._cr)
                self._cr.commit()
        finally:
            self._cr.close()

    def _listen(self) -> None:
        # Whatever a crash of the server takes back here is claimed or swept again.
        self._cr.execute(f"LISTEN {NOTIFY_CHANNEL}; SET synchronous_commit TO off")
        self._cr.commit()

    def _is_elected(self) -> bool:
        if not self._elected:
            self._elected = sql.locks.try_session_lock(self._cr, DISPATCHER_LOCK_CLASS, 0)
            self._cr.commit()
            if self._elected:
                logger.info("Dispatcher elected", extra={"database": self.database})
        return self._elected

    def _hand_out_crons(self) -> None:
        if time.monotonic() - self._crons_seen >= POLL_SECONDS:
            self._crons_seen = time.monotonic()
            cron.hand_out(self._cr)
            self._cr.commit()

    def _give_back_paused(self) -> None:
        """What waits in Redis of a channel that was paused since waits in PostgreSQL again."""
        tree = self._tree()
        names = [each.name for each in tree if any(up.paused for up in tree.chain(each.name))]
        if names:
            transitions.give_back(self._cr, names)
            self._cr.commit()

    def _dispatch(self) -> int:
        workers = self._broker.live_workers()
        claimed = self._claim(workers)
        if claimed:
            self._push(claimed)
        return len(claimed)

    def _push(self, uuids: Sequence[str]) -> None:
        # Committed before: a worker that is faster than the commit would find the job pending,
        # leave it, and nobody would call it again.
        try:
            self._broker.push(self.database, uuids)
        except BrokerDownError:
            transitions.take_back(self._cr, uuids)
            self._cr.commit()
            raise

    def _claim(self, workers: int) -> list[str]:
        now = self._one(_UTC_NOW)
        waiting = [row[0] for row in self._all(_WAITING_CHANNELS)]
        if not waiting:
            self._cr.commit()
            return []
        tree = self._tree()
        seats = self._seats(tree, workers, now)
        candidates = self._candidates(tree, seats, waiting, now)
        chosen = [(id_, uuid) for id_, uuid, channel in candidates if seats.take(channel)]
        chosen = chosen[:CLAIM_LIMIT]
        if chosen:
            transitions.enqueue(self._cr, [id_ for id_, _ in chosen], now)
        self._cr.commit()
        return [uuid for _, uuid in chosen]

    def _candidates(
        self, tree: ChannelTree, seats: Seats, waiting: Sequence[str], now: datetime
    ) -> list[Any]:
        self._warn_of_unknown(tree, waiting)
        rooms = {name: min(seats.free(name), CLAIM_LIMIT) for name in waiting}
        open_names = [name for name in waiting if rooms[name]]
        if not open_names:
            return []
        return self._all(
            _CANDIDATES,
            {
                "channels": open_names,
                "rooms": [rooms[name] for name in open_names],
                "sequential": [bool(tree.settings(name).sequential) for name in open_names],
                "now": now,
            },
        )

    def _seats(self, tree: ChannelTree, workers: int, now: datetime) -> Seats:
        failed: list[str] = []
        if any(channel.sequential for channel in tree):
            failed = [row[0] for row in self._all(_FAILED)]
        return Seats(
            tree,
            taken=dict(self._all(_TAKEN)),
            failed=failed,
            last_starts=self._throttled_starts(tree),
            workers=workers,
            now=now,
        )

    def _throttled_starts(self, tree: ChannelTree) -> dict[str, datetime]:
        starts = {}
        for channel in tree:
            if channel.throttle:
                last = last_start(self._cr, tree, channel.name)
                if last is not None:
                    starts[channel.name] = last
        return starts

    def _tree(self) -> ChannelTree:
        """All channels, as the database set them at most a moment ago."""
        if time.monotonic() - self._tree_read >= POLL_SECONDS:
            self._tree_read = time.monotonic()
            self._last_tree = read_tree(self._cr, self._configured)
        return self._last_tree

    def _warn_of_unknown(self, tree: ChannelTree, names: Iterable[str]) -> None:
        for name in names:
            if name not in tree and name not in self._unknown:
                self._unknown.add(name)
                logger.warning("Unknown channel %r: its jobs go to root", name)

    def _seconds_to_next(self) -> float:
        rows = self._all(_SECONDS_TO_NEXT_ETA)
        self._cr.commit()
        return min(POLL_SECONDS, *(float(row[0]) for row in rows)) if rows else POLL_SECONDS

    def _all(self, query: str, params: Any = None) -> list[Any]:
        self._cr.execute(query, params)
        return self._cr.fetchall()

    def _one(self, query: str, params: Any = None) -> Any:
        return self._all(query, params)[0][0]
