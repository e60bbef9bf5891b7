"""The jobs that the queue is measured by."""

from benchmarks.queue_speed import stamps
from connector.queue.job import job


@job(default_channel="root.bench")
def do_nothing(session, model_name, number):
    """Do nothing."""
    stamps.mark(number)


@job(default_channel="root.bench")
def insert_one(session, model_name, number):
    """Insert one row."""
    session.cr.execute("INSERT INTO queue_bench (number) VALUES (%s)", (number,))
    stamps.mark(number)


@job(default_channel="root.bench")
def insert_hundred(session, model_name, number):
    """Insert a hundred rows with one statement."""
    session.cr.execute(
        "INSERT INTO queue_bench (number) SELECT generate_series(%s, %s)",
        (number * 100, number * 100 + 99),
    )
    stamps.mark(number)
