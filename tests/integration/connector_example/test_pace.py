"""The import at the pace that the shop sets."""

from typing import Any

import pytest

from connector.exception import RateLimitError
from connector.session import ConnectorSession
from connector.unit.batch import import_batch
from connector_example.demo.shop_process import ShopProcess
from connector_example.demo.witness import read_shop

JOBS = """
    SELECT func_name, kwargs, eta > date_created AS later FROM queue_job
    ORDER BY id
"""


@pytest.fixture
def busy_shop(shop: ShopProcess) -> ShopProcess:
    """A shop that somebody else has just read, and that has few requests left."""
    read_shop(shop.url, shop.token)
    return shop


def test_a_pause_keeps_the_pages_that_were_read(
    session: ConnectorSession, backend: Any, busy_shop: ShopProcess
):
    """
    429 in the middle of a listing: what was read is kept, and a later job goes on from there.
    """
    result = import_batch(session, "shop.track", backend.id)

    session.cr.execute(JOBS)
    jobs = session.cr.dictfetchall()
    pages = [job for job in jobs if job["func_name"].endswith("import_chunk")]
    (following,) = [job for job in jobs if job["func_name"].endswith("import_batch")]
    assert 0 < result["read"] == 100 * len(pages) < 3500
    assert following["kwargs"]["page"].endswith(f"after={result['read']}")
    assert following["later"]


def test_a_shop_that_lets_nothing_through_is_left_alone(
    session: ConnectorSession, backend: Any, shop: ShopProcess
):
    """
    429 on the first page: the job itself comes back, so that no second one is made.
    """
    with pytest.raises(RateLimitError):
        for _ in range(100):
            import_batch(session, "shop.genre", backend.id)
