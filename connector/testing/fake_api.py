"""
A REST API in memory, for the tests of a connector whose backend cannot be had.

    GET    /KIND?updated_since=STAMP&after=ID    a page: {"items": [...], "next": LINK or null}
    GET    /KIND?FIELD=VALUE                     the records that have it
    GET    /KIND/ID                              one record, or 404
    POST   /KIND                                 a new record; an Idempotency-Key makes one, ever
    PATCH  /KIND/ID                              some of its fields change
    DELETE /KIND/ID                              the record is gone

This is what `HttpAdapter` speaks by default.  A backend that speaks otherwise gets a subclass of
`FakeApi` with its own `page` or `headers_open`, next to the adapter that understands it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

__all__ = ["FakeApi"]

Record = dict[str, Any]
#: Status and JSON of an answer.
Answer = tuple[int, Any]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


class FakeApi:
    """
    The API and its records, open from `with` to the end of its block.

    *records* are lists by kind; each record has an `id`, and gets an `updated_at`.
    """

    #: Records of one page.
    page_size: ClassVar[int] = 10

    def __init__(self, records: Mapping[str, list[Record]], token: str = "fake-token") -> None:  # noqa: S107  # opens nothing
        self.token = token
        #: Method and path of every request.
        self.requests: list[str] = []
        self._tables = {
            kind: {each["id"]: {"updated_at": _stamp(PUBLISHED), **each} for each in rows}
            for kind, rows in records.items()
        }
        self._by_key: dict[tuple[str, str], int] = {}
        self._last_change = PUBLISHED
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))

    @property
    def url(self) -> str:
        """The address below which the kinds are."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def records(self, kind: str) -> list[Record]:
        """The records as they are now, by their ids."""
        with self._lock:
            return [dict(record) for _, record in sorted(self._tables[kind].items())]

    def change(self, kind: str, record_id: int, **values: Any) -> None:
        """Change a record as somebody else would."""
        with self._lock:
            self._store(kind, record_id, values)

    def __enter__(self) -> Self:
        serve = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        serve.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what it answers ---------------------------------------------------------------------

    def headers_open(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request with these headers is let in."""
        return headers.get("Authorization") == f"Bearer {self.token}"

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request."""
        with self._lock:
            self.requests.append(f"{method} {target}")
            if not self.headers_open(headers):
                return 401, {"error": "This token opens nothing."}
            parts = urlsplit(target)
            kind, _, record_id = parts.path.strip("/").partition("/")
            if kind not in self._tables:
                return 404, {"error": f"There is no {kind!r}, but {sorted(self._tables)}."}
            if not record_id:
                return self._answer_kind(method, kind, dict(parse_qsl(parts.query)), headers, body)
            return self._answer_record(method, kind, record_id, body)

    def page(self, kind: str, query: Mapping[str, str]) -> Answer:
        """Answer a request for a page."""
        asked = dict(query)
        after, since = int(asked.pop("after", 0)), asked.pop("updated_since", "")
        found = [
            record
            for _, record in sorted(self._tables[kind].items())
            if record["id"] > after
            and record["updated_at"] >= since
            and all(str(record.get(name)) == value for name, value in asked.items())
        ]
        items, link = found[: self.page_size], None
        if len(found) > len(items):
            following = {**query, "after": str(items[-1]["id"])}
            link = f"{self.url}/{kind}?{urlencode(following)}"
        return 200, {"items": items, "next": link}

    def _answer_kind(
        self,
        method: str,
        kind: str,
        query: dict[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        if method == "GET":
            return self.page(kind, query)
        if method != "POST":
            return 405, {"error": f"{method} is for one record."}
        values = _object(body)
        if values is None:
            return 422, {"error": "A record is a JSON object."}
        key = headers.get("Idempotency-Key")
        known = self._by_key.get((kind, key)) if key else None
        record_id = known or max(self._tables[kind], default=0) + 1
        if key:
            self._by_key[kind, key] = record_id
        if known is None:
            self._store(kind, record_id, values)
        return 201, self._tables[kind][record_id]

    def _answer_record(self, method: str, kind: str, record_id: str, body: bytes) -> Answer:
        known = {str(each): each for each in self._tables[kind]}.get(record_id)
        if known is None:
            return 404, {"error": f"There is no {kind} {record_id}."}
        if method == "DELETE":
            del self._tables[kind][known]
            return 204, None
        if method == "PATCH":
            values = _object(body)
            if values is None:
                return 422, {"error": "The changes of a record are a JSON object."}
            self._store(kind, known, values)
        return 200, self._tables[kind][known]

    def _store(self, kind: str, record_id: int, values: Mapping[str, Any]) -> None:
        # Two changes never share a stamp, however coarse the clock is.
        now = self._last_change = max(
            datetime.now(UTC), self._last_change + timedelta(microseconds=1)
        )
        record = self._tables[kind].get(record_id, {})
        self._tables[kind][record_id] = {
            **record,
            **values,
            "id": record_id,
            "updated_at": _stamp(now),
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: FakeApi

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.title(): text for name, text in self.headers.items()}
        status, content = self.api.answer(self.command, self.path, headers, body)
        answer = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are in `FakeApi.requests`."""


def _handler_of(api: FakeApi) -> type[_Handler]:
    """Give a handler that asks *api*, whatever the method is."""
    methods = {f"do_{method}": _Handler.respond for method in METHODS}
    return type("Handler", (_Handler,), {"api": api, **methods})


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(body)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _stamp(moment: datetime) -> str:
    return moment.strftime(STAMP)
