"""The shop over its wire: what a connector author meets at a real one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from connector_example.demo.shop_process import ShopProcess


def get(shop: ShopProcess, path: str, **headers: str) -> requests.Response:
    url = path if path.startswith("http") else f"{shop.url}/api/v1/{path}"
    given = {"Authorization": f"Bearer {shop.token}"} | headers
    return requests.get(url, headers=given, timeout=5)


def test_pages_of_a_hundred_lead_to_every_record(shop: ShopProcess):
    """
    Following `next` meets each artist once, at most 100 a page.
    """
    url, sizes, seen = "artists", [], []
    while url:
        page = get(shop, url).json()
        sizes.append(len(page["items"]))
        seen += [record["id"] for record in page["items"]]
        url = page["next"]

    assert sizes == [100, 100, 75]
    assert seen == list(range(1, 276))


def test_every_record_tells_its_version(shop: ShopProcess):
    """
    A record has an ETag and a stamp, and a caller who knows the ETag is told that nothing changed.
    """
    first = get(shop, "artists/1")
    again = get(shop, "artists/1", **{"If-None-Match": first.headers["ETag"]})

    assert first.json()["updated_at"]
    assert first.headers["ETag"].strip('"') == first.json()["etag"]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["artists/276", "artist", "artists/1/2"])
def test_what_is_not_there_is_not_found(shop: ShopProcess, path: str):
    """
    An unknown record, kind or address answers 404 in JSON where the API is asked.
    """
    assert get(shop, path).status_code == 404


def test_a_wrong_token_is_refused(shop: ShopProcess):
    """
    Neither a wrong token nor the customers' token at the back door is let in.
    """
    wrong = requests.get(f"{shop.url}/api/v1/genres", timeout=5)
    back_door = get(shop, f"{shop.url}/admin/dump")

    assert (wrong.status_code, back_door.status_code) == (401, 401)


def test_updated_since_finds_the_changed_records(shop: ShopProcess):
    """
    Nine changes, one per table, are found by asking for what is newer than the publication.
    """
    shop.change(9, seed=2)

    page = get(shop, "tracks?updated_since=2026-01-02T00:00:00Z").json()

    assert [record["updated_at"] > "2026-01-02" for record in page["items"]] == [True]


def test_a_removed_record_is_gone(shop: ShopProcess):
    """
    After DELETE the record answers 404 and its list passes over it.
    """
    requests.delete(
        f"{shop.url}/api/v1/genres/3",
        headers={"Authorization": f"Bearer {shop.token}"},
        timeout=5,
    ).raise_for_status()

    assert get(shop, "genres/3").status_code == 404
    assert 3 not in [record["id"] for record in get(shop, "genres").json()["items"]]


def test_too_many_requests_are_told_to_wait(shop: ShopProcess):
    """
    A burst beyond 40 meets 429 with Retry-After, and the shop counts what it refused.
    """
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {shop.token}"
    url = f"{shop.url}/api/v1/genres/1"

    # Eight at a time: one after the other they may be slower than the shop allows.
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: session.get(url, timeout=30), range(160)))

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "1"
    assert shop.traffic().requests == 160
    assert shop.traffic().throttled == len(refused)


def test_faults_show_on_the_wire(shop: ShopProcess):
    """
    A page can be something else than JSON, and a record can lose a field, until told otherwise.
    """
    shop.misbehave(
        {"name": "not_json", "kind": "genres"},
        {"name": "missing_field", "kind": "artists", "options": {"id": 5, "field": "name"}},
    )
    assert get(shop, "genres").text.startswith("<h1>")
    artists = get(shop, "artists").json()["items"]
    assert [record["id"] for record in artists if "name" not in record] == [5]

    shop.misbehave()
    assert get(shop, "genres").json()["total"] == 25
