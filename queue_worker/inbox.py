"""
What a worker takes from Redis and gives back: one round trip a job while messages are waiting.

The end of a job is told with the taking of the next one, and wakes the dispatcher unless there
are more messages than workers still.  Messages of `short` channels come in groups, at most this
worker's share of those that wait; all others come one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer

from connector.queue import broker
from queue_worker.message import Message

logger = logging.getLogger(__name__)

# A message that was taken stays in RQ's intermediate list until its job has ended, as RQ has it.
_TAKE = """
local queue, intermediate, workers = KEYS[1], KEYS[2], KEYS[3]
local most, seconds, place = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local wakes, database = ARGV[4], ARGV[5]
for index = 6, #ARGV do
  redis.call('DEL', 'rq:job:' .. ARGV[index])
  redis.call('LREM', intermediate, 0, ARGV[index])
end
local alive = redis.call('ZCOUNT', workers, redis.call('TIME')[1] - seconds, '+inf')
alive = math.max(1, alive)
local taken, share = {}, most
while most > 0 do
  local id = redis.call('LMOVE', queue, intermediate, 'LEFT', 'RIGHT')
  if not id then break end
  local message = redis.call('HMGET', 'rq:job:' .. id, 'data', 'short')
  if message[1] then
    table.insert(taken, id)
    table.insert(taken, message[1])
  else
    redis.call('LREM', intermediate, 0, id)
  end
  if message[2] ~= '1' then break end
  if #taken == 2 then
    share = math.min(most, math.ceil((redis.call('LLEN', queue) + 1) / alive))
  end
  local next = redis.call('LINDEX', queue, 0)
  if #taken >= 2 * share or not next
     or string.sub(next, 1, place) ~= string.sub(id, 1, place)
     or redis.call('HGET', 'rq:job:' .. next, 'short') ~= '1' then break end
end
-- Every worker finds as many again, and somebody more: what could be claimed now would wait behind.
local is_enough = redis.call('LLEN', queue) > alive * math.max(1, #taken / 2)
if database ~= '' and not is_enough then redis.call('PUBLISH', wakes, database) end
return taken
"""


_PLACES = broker.WORKER_ALIVE_SECONDS, broker.PLACE_LENGTH, broker.WAKE_CHANNEL


class Inbox:
    """The messages of one worker; at most *most* at a time."""

    def __init__(self, connection: Redis, queue: Queue, most: int) -> None:
        self._shared = connection
        self._queue = queue
        self._most = most
        self._take = connection.register_script(_TAKE)
        self._ended: tuple[Sequence[Message], str | None] = (), None

    @cached_property
    def _connection(self) -> Redis:
        return broker.with_one_connection(self._shared)

    def end(self, messages: Sequence[Message], database: str | None) -> None:
        """Note that the jobs of these messages have ended; the next taking tells it."""
        self._ended = messages, database

    def tell(self) -> None:
        """Tell now what has ended, where nothing more is taken."""
        if self._ended[0]:
            try:
                self._exchange(0)
            except RedisError as error:
                logger.debug("The end of a job was not told to Redis: %s", error)

    def take(self, seconds: int | None) -> list[Message]:
        """
        Messages in their order; none when none came within *seconds*, None does not wait.

        Raises:
            RedisError: it does not answer.
        """
        found = self._exchange(self._most)
        if found or seconds is None:
            return found
        key = self._queue.key, self._queue.intermediate_queue_key
        id_: Any = self._connection.blmove(*key, seconds)
        if id_ is None:
            return []
        data = self._connection.hget(Message.key_for(id_.decode()), "data")
        return self._messages([id_, data])

    def _exchange(self, most: int) -> list[Message]:
        ended, database = self._ended
        keys = [self._queue.key, self._queue.intermediate_queue_key, broker.WORKERS_KEY]
        told = [message.id for message in ended]
        try:
            arguments: list[Any] = [most, *_PLACES, database or "", *told]
            taken = self._take(keys=keys, args=arguments, client=self._connection)
        except RedisError:
            # Not told again: by then the id may be that of a later start.
            self._ended = (), None
            raise
        self._ended = (), None
        return self._messages(taken)

    def _messages(self, taken: Sequence[Any]) -> list[Message]:
        found = []
        for id_, data in zip(taken[::2], taken[1::2], strict=True):
            message = Message(id_.decode(), connection=self._connection)
            # One that is given to RQ is examined for each job.
            message.serializer = JSONSerializer
            try:
                message.restore({b"data": data} if data else {})
            except NoSuchJobError:
                continue  # its job has ended already, or Redis has lost it
            found.append(message)
        return found
