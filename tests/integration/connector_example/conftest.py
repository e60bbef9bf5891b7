"""What the tests of the example share: a shop, its record, and jobs run in the test's process."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.exception import RetryableJobError
from connector.queue.job import OpenERPJobStorage
from connector.session import ConnectorSession
from connector_example.demo.shop_process import ShopProcess
from connector_example.importer import import_shop

NEXT_JOB = """
    SELECT uuid FROM queue_job WHERE state IN ('pending', 'wait_dependencies')
    ORDER BY id LIMIT 1
"""


@pytest.fixture
def addons() -> tuple[str, ...]:
    return ("connector", "connector_example")


@pytest.fixture
def shop() -> Iterator[ShopProcess]:
    with ShopProcess() as process:
        yield process


@pytest.fixture
def backend(session: ConnectorSession, shop: ShopProcess) -> Any:
    """The record of the shop."""
    values = {"name": "Chinook", "version": "1.0", "token": shop.token}
    return session.env["shop.backend"].create({**values, "location": f"{shop.url}/api/v1"})


@pytest.fixture
def run_jobs(session: ConnectorSession) -> Callable[[], list[Any]]:
    """Run the waiting jobs one after the other, as a worker would, and give their results."""

    def run() -> list[Any]:
        results = []
        storage = OpenERPJobStorage(session)
        while True:
            session.cr.execute(NEXT_JOB)
            found = session.cr.fetchone()
            if found is None:
                return results
            results.append(perform(session, storage.load(found[0])))
            session.cr.execute("UPDATE queue_job SET state = 'done' WHERE uuid = %s", found)

    return run


def perform(session: ConnectorSession, job: Any) -> Any:
    while True:
        try:
            with session.cr.savepoint():
                return job.perform(session)
        except RetryableJobError as error:
            time.sleep(error.seconds or 1)


@pytest.fixture
def import_all(
    session: ConnectorSession, backend: Any, run_jobs: Callable[[], list[Any]]
) -> Callable[[], dict[str, dict[str, int]]]:
    """Import everything the shop has; gives the outcomes per model."""

    def run() -> dict[str, dict[str, int]]:
        import_shop(session, backend.id)
        outcomes: dict[str, dict[str, int]] = {}
        for result in run_jobs():
            for model, counts in result.get("counts", {}).items():
                known = outcomes.setdefault(model, {})
                for outcome, number in counts.items():
                    known[outcome] = known.get(outcome, 0) + number
        return outcomes

    return run
