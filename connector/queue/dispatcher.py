"""
The dispatcher of one database: claims pending jobs, commits, then pushes them to Redis.

One is elected by a session lock; the others stand by.  It keeps nothing in memory that grows
with the number of jobs: order, seats and waits are in the table.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from connector.core import sql
from connector.core.models.prepared import run_prepared
from connector.queue import cron, transitions
from connector.queue.broker import Broker, BrokerDownError
from connector.queue.channel_store import read_tree
from connector.queue.channels import ChannelSettings, ChannelTree, Seats
from connector.queue.schema import CHANNELS_CHANGED, NOTIFY_CHANNEL
from connector.queue.throttle import ThrottledStarts

logger = logging.getLogger(__name__)

#: First integer of the session lock of the elected dispatcher; the second is 0.
DISPATCHER_LOCK_CLASS = 0x646973

#: Jobs claimed in one transaction at most.
CLAIM_LIMIT = 500
#: Seconds between two looks at everything, whatever the notifications say.
POLL_SECONDS = 1.0
#: PostgreSQL ends the session of an elected one that says nothing for so long: stopped, or hung.
SILENCE_SECONDS = 15
#: Wait for a lock of somebody else; the other databases wait meanwhile.
LOCK_SECONDS = 1

# All that a decision needs, by one statement.  For each channel with waiting jobs, and where it
# matters for each with failed ones, one step in the index, however many they are.
_LOOK = """
WITH RECURSIVE present AS MATERIALIZED (
    SELECT clock_timestamp() AT TIME ZONE 'UTC' AS moment
), waiting AS (
    SELECT min(channel) AS channel FROM queue_job WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(channel) FROM queue_job
             WHERE state = 'pending' AND channel > waiting.channel)
      FROM waiting WHERE waiting.channel IS NOT NULL
), failed AS (
    SELECT min(channel) AS channel FROM queue_job WHERE state = 'failed' AND $1
    UNION ALL
    SELECT (SELECT min(channel) FROM queue_job
             WHERE state = 'failed' AND channel > failed.channel)
      FROM failed WHERE failed.channel IS NOT NULL
), taken AS (
    SELECT channel, count(*) AS jobs FROM queue_job
     WHERE state IN ('enqueued', 'started') GROUP BY channel
)
SELECT present.moment,
       ARRAY(SELECT channel FROM waiting WHERE channel IS NOT NULL),
       ARRAY(SELECT channel FROM failed WHERE channel IS NOT NULL),
       (SELECT jsonb_object_agg(channel, jobs) FROM taken),
       (SELECT extract(epoch FROM min(eta) - present.moment)::float FROM queue_job
         WHERE state = 'pending' AND eta > present.moment)
  FROM present
"""

# A sequential channel does not overtake a job that waits for its time.
_CANDIDATES = """
SELECT job.id, job.uuid, seat.channel
  FROM unnest($1, $2, $3)
       AS seat (channel, room, sequential)
 CROSS JOIN LATERAL (
       SELECT id, uuid, priority, date_created FROM queue_job AS due
        WHERE due.state = 'pending' AND due.channel = seat.channel
          AND (due.eta IS NULL OR due.eta <= $4)
          AND NOT (seat.sequential AND EXISTS (
              SELECT FROM queue_job AS ahead
               WHERE ahead.state = 'pending' AND ahead.channel = seat.channel
                 AND ahead.eta > $4
                 AND (ahead.priority, ahead.date_created, ahead.id)
                     < (due.priority, due.date_created, due.id)))
        ORDER BY due.priority, due.date_created, due.id
        LIMIT seat.room
          FOR NO KEY UPDATE SKIP LOCKED
       ) AS job
 ORDER BY job.priority, job.date_created, job.id
"""

# Whatever a crash of the server takes back here is claimed or swept again.  Its few statements
# are planned once and follow indexes: a bitmap reads all that jobs leave behind there in their
# short lives, time and again, while an index scan remembers what is dead.
_SESSION = f"""
LISTEN {NOTIFY_CHANNEL};
SET synchronous_commit TO off;
SET plan_cache_mode TO force_generic_plan;
SET enable_bitmapscan TO off;
SET enable_seqscan TO off;
SET lock_timeout TO '{LOCK_SECONDS}s'
"""
_SESSION_ELECTED = f"""
SET idle_session_timeout TO '{SILENCE_SECONDS}s';
SET idle_in_transaction_session_timeout TO '{SILENCE_SECONDS}s'
"""
_SESSION_END = """
UNLISTEN *;
RESET synchronous_commit;
RESET plan_cache_mode;
RESET enable_bitmapscan;
RESET enable_seqscan;
RESET lock_timeout;
RESET idle_session_timeout;
RESET idle_in_transaction_session_timeout
"""


class View(NamedTuple):
    """What is waiting and running at one moment."""

    now: datetime
    #: channels with jobs that wait for the dispatcher
    waiting: list[str]
    #: channels with failed jobs, where there are sequential ones
    failed: list[str]
    #: channel -> jobs enqueued or started
    taken: dict[str, int] | None
    seconds_to_eta: float | None


class Dispatcher:
    """
    Hands the jobs of one database to the workers.

    *configured* are the channels of the configuration, asked for again each second; what is set
    in the database wins.
    `step` does all that is due; the caller waits on `fileno` and on Redis, at most for the
    seconds that it answers.
    """

    def __init__(
        self, database: str, broker: Broker, configured: Iterable[ChannelSettings] = ()
    ) -> None:
        self.database = database
        self._broker = broker
        self._configured = configured
        self._cr = sql.connect(database).joined_cursor(sql.READ_COMMITTED)
        self._elected = False
        self._unknown: set[str] = set()
        self._last_tree = ChannelTree()
        self._starts = ThrottledStarts()
        self._workers = 0
        self._tree_read = self._crons_seen = self._workers_counted = -POLL_SECONDS
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

    def stand(self) -> bool:
        """Stand for election, unless it is won already; answer whether it is."""
        if not self._elected:
            self._elected = sql.locks.try_session_lock(self._cr, DISPATCHER_LOCK_CLASS, 0)
            if self._elected:
                self._cr.execute_unflushed(_SESSION_ELECTED)
            self._cr.commit()
        return self._elected

    def hear(self) -> None:
        """Take in what was notified; whoever stands by does so too, or it would be called again."""
        if any(news.payload == CHANNELS_CHANGED for news in self._cr.poll_notifies()):
            self._tree_read = -POLL_SECONDS

    def step(self) -> float:
        """
        Hand over all that may start now; answer the seconds until there is something to do.

        Raises:
            BrokerDownError: Redis is away; nothing is claimed or it is given back.
        """
        self.hear()
        if not self.stand():
            return POLL_SECONDS
        self._hand_out_crons()
        self._give_back_paused()
        view, pushed = self._dispatch()
        while pushed >= CLAIM_LIMIT:
            view, pushed = self._dispatch()
        if view.seconds_to_eta is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, view.seconds_to_eta)

    def close(self) -> None:
        """Step down, so that another dispatcher is elected at once."""
        if self._cr.closed:
            return
        try:
            if not self._cr.connection.closed:
                self._cr.rollback()
                self._cr.execute(_SESSION_END)
                transitions.release_locks(self._cr)
                self._cr.commit()
        finally:
            self._cr.close()

    def _listen(self) -> None:
        self._cr.execute(_SESSION)
        self._cr.commit()

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

    def _dispatch(self) -> tuple[View, int]:
        """Hand over one portion; answer what was seen before, and how many jobs went."""
        workers = self._live_workers()
        view = self._look()
        claimed = self._claim(view, workers) if view.waiting else {}
        self._cr.commit()
        if claimed:
            self._push(claimed)
        return view, len(claimed)

    def _look(self) -> View:
        sequential = any(channel.sequential for channel in self._tree())
        run_prepared(self._cr, "bool", _LOOK, (sequential,))
        return View(*self._cr.fetchone())

    def _push(self, claimed: Mapping[str, str]) -> None:
        uuids = list(claimed)
        short = {uuid for uuid in uuids if self._last_tree.settings(claimed[uuid]).short}
        # Committed before: a worker that is faster than the commit would find the job pending,
        # leave it, and nobody would call it again.
        try:
            self._broker.push(self.database, uuids, short)
        except BrokerDownError:
            self._workers = 0
            transitions.take_back(self._cr, uuids)
            self._cr.commit()
            raise

    def _claim(self, view: View, workers: int) -> dict[str, str]:
        """Mark jobs as handed over, and commit: uuid -> channel, in their order."""
        tree = self._tree()
        seats = Seats(
            tree,
            taken=view.taken or {},
            failed=view.failed,
            last_starts=self._starts.last(self._cr, tree),
            workers=workers,
            now=view.now,
        )
        candidates = self._candidates(tree, seats, view)
        chosen = [row for row in candidates if seats.take(row[2])][:CLAIM_LIMIT]
        if chosen:
            transitions.enqueue(self._cr, [id_ for id_, _, _ in chosen], view.now)
            self._starts.note(tree, {channel for _, _, channel in chosen}, view.now)
        return {uuid: channel for _, uuid, channel in chosen}

    def _candidates(self, tree: ChannelTree, seats: Seats, view: View) -> list[Any]:
        self._warn_of_unknown(tree, view.waiting)
        rooms = {name: min(seats.free(name), CLAIM_LIMIT) for name in view.waiting}
        open_names = [name for name in view.waiting if rooms[name]]
        if not open_names:
            return []
        run_prepared(
            self._cr,
            "text[], int[], bool[], timestamp",
            _CANDIDATES,
            (
                open_names,
                [rooms[name] for name in open_names],
                [bool(tree.settings(name).sequential) for name in open_names],
                view.now,
            ),
        )
        return self._cr.fetchall()

    def _live_workers(self) -> int:
        """How many workers there are, asked for each second; those that come first at once."""
        if not self._workers or time.monotonic() - self._workers_counted >= POLL_SECONDS:
            self._workers_counted = time.monotonic()
            self._workers = self._broker.live_workers()
        return self._workers

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
