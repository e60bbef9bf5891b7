"""
The shop's addresses.

    GET  /api/v1/KIND?updated_since=STAMP&after=ID    a page: items, total, next
    GET  /api/v1/KIND?email=ADDRESS                   those of one address
    GET  /api/v1/KIND/ID                              one record, or 304, or 404
    POST /api/v1/KIND                                 a new record; may carry an Idempotency-Key
    PATCH  /api/v1/KIND/ID                            some of its fields change
    DELETE /api/v1/KIND/ID                            the record is gone from now on

    GET  /admin/stats     requests taken and refused
    GET  /admin/dump      every record, lines apart
    POST /admin/change    {"count": 9, "seed": 1}: change records of every kind
    GET  /admin/faults    the faults that are switched on, with what they have met
    PUT  /admin/faults    [{"name": ..., "kind": ..., "times": 1, "options": {}}]: these faults
    POST /admin/faults    the same: these faults too
    DELETE /admin/faults  behave again
    POST /admin/reset     be as on the first day

Both sides want their own token: `Authorization: Bearer TOKEN`.
"""

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from connector_example.shop.catalogue import Catalogue
from connector_example.shop.changes import change_some
from connector_example.shop.faults import Faults, carried_by, shifted
from connector_example.shop.intake import Intake
from connector_example.shop.limiter import RateLimiter
from connector_example.shop.tables import KINDS

PAGE_SIZE = 100
REQUESTS_PER_SECOND = 20
BURST = 40

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class Shop:
    """The shop and what guards its doors."""

    catalogue: Catalogue
    token: str = field(repr=False)
    admin_token: str = field(repr=False)
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(REQUESTS_PER_SECOND, BURST))
    faults: Faults = field(default_factory=Faults)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.intake = Intake(self.catalogue)

    def application(self) -> Starlette:
        api = [
            Route("/{kind}", self._for_customers(self.list_records)),
            Route("/{kind}", self._for_customers(self.create_record), methods=["POST"]),
            Route("/{kind}/{id:int}", self._for_customers(self.read_record)),
            Route("/{kind}/{id:int}", self._for_customers(self.update_record), methods=["PATCH"]),
            Route("/{kind}/{id:int}", self._for_customers(self.remove_record), methods=["DELETE"]),
        ]
        admin = [
            Route("/stats", self._for_admin(self.stats)),
            Route("/dump", self._for_admin(self.dump)),
            Route("/change", self._for_admin(self.change), methods=["POST"]),
            Route("/faults", self._for_admin(self.list_faults)),
            Route("/faults", self._for_admin(self.use_faults), methods=["PUT", "POST", "DELETE"]),
            Route("/reset", self._for_admin(self.reset), methods=["POST"]),
        ]
        return Starlette(
            routes=[Mount("/api/v1", routes=api), Mount("/admin", routes=admin)],
            exception_handlers={HTTPException: _refusal},
        )

    def _for_customers(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            self.counts["requests"] += 1
            try:
                _check_token(request, self.token)
                self._check_pace()
                response = await self._answer(request, endpoint)
            except HTTPException as error:
                response = await _refusal(request, error)
            now = datetime.now(UTC) + timedelta(seconds=getattr(request.state, "skew", 0.0))
            response.headers["Date"] = format_datetime(now, usegmt=True)
            return response

        return guarded

    async def _answer(self, request: Request, endpoint: Endpoint) -> Response:
        try:
            carried = carried_by(request)
        except (TypeError, ValueError) as error:
            raise HTTPException(422, f"X-Fault: {error}") from error
        return await self.faults.around(request, endpoint, carried)

    def _check_pace(self) -> None:
        seconds = self.limiter.seconds_to_wait(self.token)
        if seconds:
            self.counts["throttled"] += 1
            raise HTTPException(429, "Too many requests.", {"Retry-After": str(seconds)})

    def _for_admin(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            _check_token(request, self.admin_token)
            return await endpoint(request)

        return guarded

    async def list_records(self, request: Request) -> Response:
        kind, since = _kind(request), _stamp(request, "updated_since")
        email = request.query_params.get("email")
        if email is not None:
            return JSONResponse({"items": self.catalogue.with_email(kind, email), "next": None})
        after = _number(request, "after", default=0)
        changed_since = shifted(since, -request.state.skew) if since else None
        found = self.catalogue.page(kind, after, PAGE_SIZE + 1, changed_since)
        items, more = found[:PAGE_SIZE], bool(found[PAGE_SIZE:])
        page = {
            "items": items,
            "total": self.catalogue.count(kind),
            "next": _page_url(request, after=items[-1]["id"], since=since) if more else None,
        }
        return JSONResponse(page)

    async def read_record(self, request: Request) -> Response:
        kind = _kind(request)
        record = self.catalogue.published(kind, request.path_params["id"])
        if record is None:
            raise HTTPException(404, f"There is no {request.url.path}.")
        headers = {"ETag": f'"{record["etag"]}"', "Last-Modified": record["updated_at"]}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return JSONResponse(record, headers=headers)

    async def create_record(self, request: Request) -> Response:
        kind, key = _kind(request), request.headers.get("Idempotency-Key")
        return await self.intake.create(kind, await _json(request), key, request.state.late)

    async def update_record(self, request: Request) -> Response:
        kind, record_id = _kind(request), request.path_params["id"]
        return await self.intake.update(kind, record_id, await _json(request))

    async def remove_record(self, request: Request) -> Response:
        kind, record_id = _kind(request), request.path_params["id"]
        if self.catalogue.get(kind, record_id) is None:
            raise HTTPException(404, f"There is no {request.url.path}.")
        self.catalogue.remove(kind, record_id)
        self.catalogue.save()
        return Response(status_code=204)

    async def stats(self, request: Request) -> Response:
        return JSONResponse({name: self.counts[name] for name in ("requests", "throttled")})

    async def dump(self, request: Request) -> Response:
        return JSONResponse(self.catalogue.dump())

    async def change(self, request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        try:
            changed = change_some(self.catalogue, asked["count"], asked.get("seed", 0))
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return JSONResponse({"changed": Counter(table for table, _ in changed)})

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse(self.faults.described())

    async def use_faults(self, request: Request) -> Response:
        change = self.faults.add if request.method == "POST" else self.faults.use
        try:
            change([] if request.method == "DELETE" else await request.json())
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        self.catalogue = self.catalogue.anew()
        self.intake = Intake(self.catalogue)
        self.faults.use([])
        self.limiter = RateLimiter(REQUESTS_PER_SECOND, BURST)
        self.counts.clear()
        return Response(status_code=204)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError as error:
        raise HTTPException(422, f"This is no JSON: {error}.") from error


def _check_token(request: Request, token: str) -> None:
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise HTTPException(401, "This token opens nothing.", {"WWW-Authenticate": "Bearer"})


def _kind(request: Request) -> str:
    kind = str(request.path_params["kind"])
    if kind not in KINDS:
        raise HTTPException(404, f"There is no {kind!r} here, but {', '.join(KINDS)}.")
    return kind


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    try:
        return default if text is None else int(text)
    except ValueError as error:
        raise HTTPException(422, f"{name} must be a number, not {text!r}.") from error


def _stamp(request: Request, name: str) -> str | None:
    text = request.query_params.get(name)
    try:
        return shifted(text, 0) if text else None
    except ValueError as error:
        raise HTTPException(422, f"{name} must be a time in UTC, not {text!r}.") from error


def _page_url(request: Request, *, after: int, since: str | None) -> str:
    parameters = {"after": after} | ({"updated_since": since} if since else {})
    return str(request.url.replace(query=urlencode(parameters)))


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"error": error.detail}, status_code=error.status_code, headers=error.headers
    )
