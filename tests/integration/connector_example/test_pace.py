"""The import at the pace that the shop sets."""

import math
from typing import Any

import pytest

from connector.exception import RateLimitError
from connector.session import ConnectorSession
from connector.unit.batch import BatchImporter, import_batch
from connector_example.demo.shop_process import ShopProcess

JOBS = """
    SELECT func_name, kwargs, eta > date_created AS later FROM queue_job
    ORDER BY id
"""


def test_a_pause_keeps_the_pages_that_were_read(
    session: ConnectorSession, backend: Any, shop: ShopProcess, monkeypatch: pytest.MonkeyPatch
):
    """
    429 in the middle of a listing: what was read is kept, and a later job goes on from there.
    """
    monkeypatch.setattr(BatchImporter, "_seconds_per_job", math.inf)  # else it may end before

    with shop.fault("too_many_requests", kind="tracks", after=3):
        result = import_batch(session, "shop.track", backend.id)

    session.cr.execute(JOBS)
    jobs = session.cr.dictfetchall()
    pages = [job for job in jobs if job["func_name"].endswith("import_chunk")]
    (following,) = [job for job in jobs if job["func_name"].endswith("import_batch")]
    assert result["read"] == 100 * len(pages) == 300
    assert following["kwargs"]["page"].endswith(f"after={result['read']}")
    assert following["later"]


def test_a_shop_that_lets_nothing_through_is_left_alone(
    session: ConnectorSession, backend: Any, shop: ShopProcess
):
    """
    429 on the first page: the job itself comes back, so that no second one is made.
    """
    with shop.fault("too_many_requests"), pytest.raises(RateLimitError):
        import_batch(session, "shop.genre", backend.id)
