"""
Redis as the wake-up call: which jobs a worker may look at, and who is there to look.

A message is `(database, uuid)` and nothing else; PostgreSQL says whether the job is still to be
done.  So Redis may lose everything at any moment, and a message may come twice.

    rq:queue:connector      the messages, oldest first                  (RQ's list)
    connector:workers       live workers by the time of their heartbeat (sorted set)
    connector:wake          a worker has ended a job of this database   (publish)
    connector:budget:KEY    tokens left of a budget of calls            (hash)
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import ConnectionError as ConnectionBrokenError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.command import send_command
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat

from connector.exception import ConfigurationError, ServerUnreachableError
from connector.server_url import without_password

logger = logging.getLogger(__name__)

#: The one queue, of all databases.
QUEUE_NAME = "connector"
#: The one function that a message may name.
ENTRY_POINT = "queue_worker.runner.run"

#: Characters that tell the database in the id of a message.
PLACE_LENGTH = 12

WORKERS_KEY = "connector:workers"
WAKE_CHANNEL = "connector:wake"
BUDGET_PREFIX = "connector:budget:"

#: A worker beats once a second; after this time without a beat it does not count.
WORKER_ALIVE_SECONDS = 10
RECONNECT_SECONDS = 1.0
_CONNECT_SECONDS = 5
#: A server that has not answered for this long is away, also behind a connection that stands.
ANSWER_SECONDS = 5
_KEEP_ALIVE: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in (
            ("TCP_KEEPIDLE", 2),
            ("TCP_KEEPINTVL", 2),
            ("TCP_KEEPCNT", 3),
            ("TCP_USER_TIMEOUT", 8000),
        )
        if hasattr(socket, name)  # not every platform has all of them
    },
}

# What RQ's own `enqueue_many` writes, as far as RQ and its pages read it, a command a job.
_PUSH = """
redis.call('SADD', KEYS[2], KEYS[1])
local place, database, moment, entry, origin = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
for index = 6, #ARGV do
  local short, uuid = string.sub(ARGV[index], 1, 1), string.sub(ARGV[index], 2)
  local id = place .. '-' .. uuid
  local call = cjson.encode({database, uuid})
  redis.call('HSET', 'rq:job:' .. id, 'data', '["' .. entry .. '", null, ' .. call .. ', {}]',
             'origin', origin, 'status', 'queued', 'timeout', '-1', 'created_at', moment,
             'enqueued_at', moment, 'description', database .. ' ' .. uuid, 'short', short)
  redis.call('RPUSH', KEYS[1], id)
end
"""

# The server's clock counts, because workers are on several machines.
_BEAT = "redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])"
_COUNT_ALIVE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600)
return redis.call('ZCOUNT', KEYS[1], now - tonumber(ARGV[1]), '+inf')
"""


# One who must not wait so long takes nothing. A bucket that nobody asks for is full again when
# it expires.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local wait = math.max(0, (1 - tokens) / rate)
local taken = 0
if wait <= longest then
  taken, tokens = 1, tokens - 1
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil((burst - tokens) / rate) + 1)
local workers = redis.call('ZCOUNT', KEYS[2], now - tonumber(ARGV[4]), '+inf')
return {taken, tostring(wait), workers}
"""


class TokenAnswer(NamedTuple):
    """Whether a token was taken, the seconds until it is there, and the live workers."""

    taken: bool
    wait: float
    workers: int


class BrokerDownError(ServerUnreachableError):
    """Redis does not answer now; jobs wait in PostgreSQL."""


def message_id(database: str, uuid: str) -> str:
    """The RQ job id of a message: the same for every delivery of one job of one database."""
    return f"{_place(database)}-{uuid}"


def _place(database: str) -> str:
    return hashlib.sha1(database.encode(), usedforsecurity=False).hexdigest()[:PLACE_LENGTH]


class Broker:
    """The Redis side of the queue, as dispatcher and workers use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis: Redis = connect(url)
        self._queue = Queue(QUEUE_NAME, connection=self.redis, serializer=JSONSerializer)
        self._push = self.redis.register_script(_PUSH)
        self._take_token = self.redis.register_script(_SPEND)

    @cached_property
    def _pushing(self) -> Redis:
        return with_one_connection(self.redis)

    def push(self, database: str, uuids: Sequence[str], short: Collection[str] = ()) -> None:
        """
        Hand over jobs of a database in this order, with one command.

        A worker may take several of the *short* ones at a time.

        Raises:
            BrokerDownError: it is not known which of them arrived.
        """
        moment = utcformat(now())
        marked = [f"{int(uuid in short)}{uuid}" for uuid in uuids]
        arguments = (_place(database), database, moment, ENTRY_POINT, QUEUE_NAME, *marked)
        keys = [self._queue.key, self._queue.redis_queues_keys]
        with self._translated():
            self._push(keys=keys, args=arguments, client=self._pushing)

    def waiting(self) -> set[str]:
        """The ids of the messages that no worker has taken yet; see `message_id`."""
        with self._translated():
            return set(self._queue.get_job_ids())

    def stop(self, database: str, uuids: Sequence[str]) -> None:
        """
        Ask whichever workers run these jobs to stop them; all others take no notice.

        Raises:
            BrokerDownError: it is not known who was asked.
        """
        with self._translated():
            names: Any = self.redis.zrange(WORKERS_KEY, 0, -1) if uuids else ()
            for worker in names:
                for uuid in uuids:
                    send_command(
                        self.redis, worker.decode(), "stop-job", job_id=message_id(database, uuid)
                    )

    def live_workers(self) -> int:
        """How many workers have beaten lately."""
        with self._translated():
            return int(self.redis.eval(_COUNT_ALIVE, 1, WORKERS_KEY, str(WORKER_ALIVE_SECONDS)))

    def take_token(
        self, key: str, per_second: float, burst: int, longest_wait: float
    ) -> TokenAnswer:
        """
        Take one token of a bucket, unless it is there only after *longest_wait* seconds.

        Raises:
            BrokerDownError: Redis is away; it is not known whether a token is gone.
        """
        keys = (BUDGET_PREFIX + key, WORKERS_KEY)
        limits = (per_second, burst, longest_wait, WORKER_ALIVE_SECONDS)
        with self._translated():
            taken, wait, workers = self._take_token(keys=keys, args=limits)
        return TokenAnswer(bool(taken), float(wait), int(workers))

    def version(self) -> tuple[int, ...]:
        """
        The version of Redis, or the one that a server like it stands for.

        Raises:
            BrokerDownError: Redis is away.
        """
        with self._translated():
            told = str(self.redis.info("server")["redis_version"])
        return tuple(int(number) for number in told.split(".")[:3] if number.isdecimal())

    def ping(self) -> None:
        """
        Ask for an answer.

        Raises:
            BrokerDownError: there is none.
        """
        with self._translated():
            self.redis.ping()

    def close(self) -> None:
        self.redis.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise BrokerDownError(
                f"Redis at {without_password(self.url)} does not answer: "
                f"{str(error).rstrip('.')}. Start it, or mend REDIS_URL. "
                "Jobs are kept in PostgreSQL and run when it is back."
            ) from error


def connect(url: str) -> Redis:
    """
    A client of the Redis server of that URL; nothing is sent yet.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    is_tcp = urlsplit(url).scheme != "unix"
    try:
        client: Redis = Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            health_check_interval=30,
            # A connection that broke while it was idle is made anew; a silence is not repeated.
            retry=Retry(NoBackoff(), 1, (ConnectionBrokenError,)),
            **(_KEEP_ALIVE if is_tcp else {}),
        )
    except ValueError as error:
        raise ConfigurationError(
            f"The Redis URL cannot be read: {error}. It looks like redis://host:6379/0 or "
            "unix:///run/redis.sock?db=0."
        ) from None
    return client


def with_one_connection(client: Redis) -> Redis:
    """
    A client for one thread that keeps a connection, and asks for it at once.

    To borrow one for each command takes as long as a short command itself.

    Raises:
        RedisError: the server does not answer.
    """
    return Redis(connection_pool=client.connection_pool, single_connection_client=True)


def beat(pipeline: Any, worker_name: str) -> None:
    """Add to a pipeline that a worker is alive."""
    pipeline.eval(_BEAT, 1, WORKERS_KEY, worker_name)


def leave(pipeline: Any, worker_name: str) -> None:
    """Add to a pipeline that a worker is not there any more."""
    pipeline.zrem(WORKERS_KEY, worker_name)


def wake(pipeline: Any, database: str) -> None:
    """Add to a pipeline that a job of a database has ended, so that a seat may be free."""
    pipeline.publish(WAKE_CHANNEL, database)


class Wakes:
    """
    Makes the wake-up calls of workers readable on a pipe, beside PostgreSQL's socket.

    A call that is missed while Redis is away costs nothing but the time to the next poll.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wakes", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._stopping.set()

    def fileno(self) -> int:
        return self._reader

    def call(self) -> None:
        """Wake whoever waits; a signal handler may do so too."""
        with suppress(BlockingIOError):  # the pipe is full of calls already
            os.write(self._writer, b"!")

    def clear(self) -> None:
        """Forget the calls that have arrived."""
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def _listen(self) -> None:
        while not self._stopping.is_set():
            client = connect(self._url)
            try:
                self._pass_on(client)
            except (RedisError, OSError) as error:
                logger.debug("No wake-up calls from Redis: %s", error)
                self._stopping.wait(RECONNECT_SECONDS)
            finally:
                client.close()

    def _pass_on(self, client: Redis) -> None:
        calls: PubSub = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # untyped there
        with calls:
            calls.subscribe(WAKE_CHANNEL)
            while not self._stopping.is_set():
                if calls.get_message(timeout=RECONNECT_SECONDS) is not None:
                    self.call()


_broker: Broker | None = None


def use_redis(url: str) -> None:
    """Take this Redis from now on; entry points call it once."""
    global _broker
    _broker = Broker(url)


def current() -> Broker:
    """
    The broker of this process.

    Raises:
        ConfigurationError: no Redis was named.
    """
    if _broker is None:
        raise ConfigurationError("No Redis server is named. Set REDIS_URL or [queue] redis_url.")
    return _broker
