"""A worker that exports, and is killed while it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.core import sql
from connector_example.demo.shop_process import ShopProcess

SECONDS = 60


@pytest.fixture
def addons() -> tuple[str, ...]:
    return ("queue_worker", "connector_example")


@contextmanager
def workers(database: Any, servers: Any, log: Path) -> Iterator[None]:
    environment = {
        **os.environ,
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
    }
    command = [sys.executable, "-m", "connector.cli.main", "worker", "-n", "1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-d", database.name], env=environment, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_until(condition: Callable[[], Any], log: Path) -> Any:
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.1)
    return found


def test_worker_killed_after_the_shop_has_stored_makes_no_second_customer(
    database: Any, servers: Any, shop: ShopProcess, tmp_path: Path
) -> None:
    """
    A worker killed between the shop's storing and its answer leaves one customer, bound in the end.
    """
    log = tmp_path / "workers.log"
    admin = {"Authorization": f"Bearer {shop.admin_token}"}

    def customers() -> set[int]:
        dump = requests.get(f"{shop.url}/admin/dump", headers=admin, timeout=5).json()
        return {record["id"] for record in dump["customers"]}

    def job(state: str) -> list[Any]:
        with database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute("SELECT worker, attempt FROM queue_job WHERE state = %s", (state,))
            return list(cr.fetchall())

    fault = {"name": "lost_answer", "kind": "customers", "options": {"hold": 10}}
    requests.put(f"{shop.url}/admin/faults", json=[fault], headers=admin, timeout=5)
    known = customers()
    with workers(database, servers, log):
        with database.session() as session:
            backend = session.env["shop.backend"].create(
                {"name": "Chinook", "token": shop.token, "location": f"{shop.url}/api/v1"}
            )
            values = {"name": "Ada", "last_name": "Lovelace", "backend_id": backend.id}
            binding_id = session.env["shop.customer"].create(values).id
        wait_until(lambda: customers() - known, log)
        [(worker, _)] = job("started")
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
        [(_, attempt)] = wait_until(lambda: job("done"), log)

    [new] = customers() - known
    assert attempt == 2
    with database.session() as session:
        binding = session.env["shop.customer"].browse(binding_id)
        assert binding.external_id == str(new)
        assert not session.env["connector.export.intent"].search([])
