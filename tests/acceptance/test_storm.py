"""Eight worker processes import the same records at the same time."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from connector.embedded import Services
from connector.server_url import with_parameters

ADDONS_PATH = Path(__file__).parent / "addons"
DATABASE = "storm"
WORKERS = 8
RECORDS, TIMES, CATEGORIES = 200, 10, 5
DEADLINE_SECONDS = 240

PRODUCER = """
import sys
from connector import config
from connector.cli.entry import open_servers
from connector.session import ConnectorSessionHandler
from connector.unit.batch import import_record

with open_servers(config.current()), ConnectorSessionHandler(sys.argv[1], 1).session() as session:
    backend = session.env["storm.backend"].create({"name": "Storm", "version": "1"})
    for _ in range(int(sys.argv[3])):
        for external_id in range(int(sys.argv[2])):
            import_record.delay(session, "storm.partner", backend.id, str(external_id))
"""


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_a_storm_of_the_same_ids_makes_one_record_each(
    servers_home: Path, isolation: str, record_property: Callable[[str, object], None]
) -> None:
    """
    Eight processes and ten jobs for each id leave one binding for each record, and no failed job.
    """
    with Services(servers_home) as services:
        environment = os.environ | {
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "CONNECTOR_ADDONS_PATH": str(ADDONS_PATH),
            "CONNECTOR_JOB_ISOLATION_LEVEL": isolation,
            "CONNECTOR_DATA_DIR": str(servers_home),
        }
        run(environment, "-m", "connector.cli.main", "db", "init", DATABASE, "--addons", "storm")
        run(environment, "-c", PRODUCER, DATABASE, str(RECORDS), str(TIMES))
        with connected(services) as database:
            with workers(environment, servers_home / "workers.log"):
                wait_until_no_job_waits(database)
            states = Counter(rows(database, "SELECT state FROM queue_job"))
            partners = rows(database, "SELECT external_id FROM storm_partner")
            categories = rows(database, "SELECT external_id FROM storm_category")
            names = rows(database, "SELECT name FROM res_partner WHERE name LIKE 'Partner %'")
        violations = services.postgres_log.read_text().count("duplicate key value")
    record_property("figure", f"unique violations at {isolation}: {violations}")

    assert states == {"done": RECORDS * TIMES}
    assert sorted(partners, key=int) == [str(number) for number in range(RECORDS)]
    assert sorted(categories) == [str(number) for number in range(CATEGORIES)]
    assert len(names) == RECORDS
    if isolation == "read committed":
        assert violations == 0


def run(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], env=environment, check=True, timeout=120)


@contextmanager
def connected(services: Services) -> Iterator[Connection]:
    database = psycopg2.connect(with_parameters(services.database_url, DATABASE, {}))
    database.autocommit = True
    try:
        yield database
    finally:
        database.close()


@contextmanager
def workers(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "connector.cli.main", "-d", DATABASE]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [*command, "worker", "-n", str(WORKERS)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield
        finally:
            supervisor.terminate()
            supervisor.wait(60)


def wait_until_no_job_waits(database: Connection) -> None:
    waiting = "SELECT state FROM queue_job WHERE state NOT IN ('done', 'failed', 'cancelled')"
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := rows(database, waiting):
        assert time.monotonic() < deadline, f"{Counter(left)} after {DEADLINE_SECONDS} seconds"
        time.sleep(0.5)


def rows(database: Connection, query: str) -> list[str]:
    with database.cursor() as cursor:
        cursor.execute(query)
        return [value for (value,) in cursor.fetchall()]
