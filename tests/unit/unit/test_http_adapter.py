"""The HTTP adapter: paths, pages and one client for all adapters of a task."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.connector import ConnectorEnvironment
from connector.exception import BackendResponseError
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.http_adapter import HttpAdapter

RECORDS = [{"id": number, "name": f"Partner {number}"} for number in range(5)]
PAGE = 2


class Handler(BaseHTTPRequestHandler):
    """Lists partners by pages of two, and remembers what it was asked."""

    asked = []

    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(size)) if size else None
        self.asked.append((self.command, self.path, sent, self.headers.get("Idempotency-Key")))
        url = urlsplit(self.path)
        self.send_response_only(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.content(url.path, parse_qs(url.query))).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def content(self, path, query):
        if path == "/api/broken":
            return [1, 2]
        if path != "/api/partners":
            return {"id": path.rpartition("/")[2]}
        if "ids" in query:
            return {"items": [RECORDS[int(each)] for each in query["ids"][0].split(",")]}
        start = int(query.get("start", ["0"])[0])
        more = start + PAGE < len(RECORDS)
        link = f"/api/partners?start={start + PAGE}" if more else None
        return {"items": RECORDS[start : start + PAGE], "next": link}


@pytest.fixture
def asked():
    Handler.asked = []
    return Handler.asked


@pytest.fixture
def connector_env(shop, session, asked):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    record = SimpleNamespace(
        id=1,
        _name="shop.backend",
        get_backend=lambda: shop,
        location=f"http://127.0.0.1:{server.server_port}/api",
        token="t0ken",
    )
    yield ConnectorEnvironment(record, session, "shop.partner")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def adapter(shop, connector_env):
    @shop
    class PartnerAdapter(HttpAdapter):
        _model_name = "shop.partner"
        _path = "partners"
        _ids_param = "ids"

    return connector_env.get_connector_unit(CRUDAdapter)


def test_listing_is_read_page_by_page(adapter):
    """
    All pages are read by following their links, as records or as ids.
    """
    assert [len(page) for page in adapter.search_pages()] == [2, 2, 1]
    assert adapter.search_read() == RECORDS
    assert adapter.search({"since": "2026"}) == [0, 1, 2, 3, 4]


def test_records_are_addressed_by_quoted_ids(adapter, asked):
    """
    Each method has its verb, and no id leads to another path.
    """
    adapter.read("../a b")
    adapter.write(7, {"name": "x"})
    adapter.delete(7)
    adapter.create({"name": "x"}, idempotency_key="key")

    assert asked == [
        ("GET", "/api/partners/..%2Fa%20b", None, None),
        ("PATCH", "/api/partners/7", {"name": "x"}, None),
        ("DELETE", "/api/partners/7", None, None),
        ("POST", "/api/partners", {"name": "x"}, "key"),
    ]


def test_many_records_are_read_in_one_request(adapter, asked, monkeypatch):
    """
    Where the backend lists by ids one request gives many records, else one gives each.
    """
    assert adapter.read_many([1, 3]) == [RECORDS[1], RECORDS[3]]
    assert len(asked) == 1

    monkeypatch.setattr(type(adapter), "_ids_param", None)
    assert adapter.read_many([1, 3]) == [{"id": "1"}, {"id": "3"}]
    assert len(asked) == 3


def test_adapters_of_a_task_share_their_client(adapter, connector_env):
    """
    The requests of all adapters of one session and backend are counted together.
    """
    other = connector_env.get_connector_unit(CRUDAdapter)
    adapter.read(1)
    other.read(2)

    assert adapter.client is other.client
    assert adapter.usage() == {"requests": 2, "throttled": 0}
    assert "t0ken" not in repr(adapter.client)


def test_what_is_no_listing_is_named(adapter, monkeypatch):
    """
    A listing of another form is an error that names the path.
    """
    monkeypatch.setattr(type(adapter), "_path", "broken")

    with pytest.raises(BackendResponseError, match="listing of 'broken'.*has no list 'items'"):
        adapter.search_page()
