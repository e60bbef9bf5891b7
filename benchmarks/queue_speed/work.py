"""The two jobs as the other queues run them, without a record of any job."""

from __future__ import annotations

import os
import threading

import psycopg2

from benchmarks.queue_speed import stamps

_mine = threading.local()

INSERT = "INSERT INTO queue_bench (number) VALUES (%s)"


def do_nothing(number: int) -> None:
    """Do nothing."""
    stamps.mark(number)


def insert_one(number: int) -> None:
    """Insert one row in a transaction of its own, on a connection that the thread keeps."""
    if not hasattr(_mine, "connection"):
        _mine.connection = psycopg2.connect(os.environ["BENCH_DSN"])
    with _mine.connection as connection, connection.cursor() as cursor:
        cursor.execute(INSERT, (number,))
    stamps.mark(number)
