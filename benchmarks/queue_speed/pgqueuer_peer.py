"""PgQueuer on asyncpg: one process, with its usual ten jobs in flight, all of one event loop."""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg
from pgqueuer import AsyncpgDriver, Job, PgQueuer, Queries

from benchmarks.queue_speed import stamps

COMMAND = [sys.executable, "-m", __name__]


async def _connect() -> asyncpg.Connection:
    return await asyncpg.connect(os.environ["BENCH_DSN"])


def install() -> None:
    async def make() -> None:
        await Queries(AsyncpgDriver(await _connect())).install()

    asyncio.run(make())


def enqueue(function: str, jobs: int) -> None:
    async def add() -> None:
        payloads: list[bytes | None] = [str(number).encode() for number in range(jobs)]
        await Queries(AsyncpgDriver(await _connect())).enqueue(
            [function] * jobs, payloads, [0] * jobs
        )

    asyncio.run(add())


async def _work() -> None:
    pool = await asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=10, max_size=10)
    worker = PgQueuer.from_asyncpg_connection(await _connect())

    @worker.entrypoint("do_nothing")
    async def do_nothing(job: Job) -> None:
        stamps.mark(int(job.payload or b""))

    @worker.entrypoint("insert_one")
    async def insert_one(job: Job) -> None:
        number = int(job.payload or b"")
        await pool.execute("INSERT INTO queue_bench (number) VALUES ($1)", number)
        stamps.mark(number)

    await worker.run()


if __name__ == "__main__":
    asyncio.run(_work())
