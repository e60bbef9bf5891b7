"""
Faults that the shop shows on demand, so that tests meet them on a real wire.

A fault meets the requests of a kind, route and method, some of them, in one of these ways:

    BEFORE    the request waits, or is answered without being done
    STORE     a new record is stored later than it should be
    ANSWER    the JSON of the answer is changed
    BODY      the bytes of the answer are cut, or do not come at all
    CLOCK     the shop's clock is wrong
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connector_example.shop.tables import Record

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"

READS = frozenset({"GET"})
WRITES = frozenset({"POST", "PATCH", "DELETE"})
#: What one listing and one record are asked with.
LIST, RECORD = "list", "record"

Options = dict[str, Any]


class NoAnswer(Response):
    """Closes the connection in the middle of an answer, as a failing network does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})


@dataclass
class Fault:
    """One fault, and which requests it meets."""

    name: str  #: a key of `FAULTS`
    kind: str | None = None  #: whose requests, all kinds without it
    route: str | None = None  #: `list` or `record`, both without it
    method: str | None = None  #: those that the fault can meet without it
    after: int = 0  #: so many requests pass before the first one is met
    times: int | None = None  #: so many are met; all of them without it
    options: Options = field(default_factory=dict)  #: what the fault wants to know
    met: int = 0  #: requests met so far
    passed: int = 0  #: requests that came too early

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"No fault {self.name!r}; there are {sorted(FAULTS)}.")
        if self.route not in (None, LIST, RECORD):
            raise ValueError(f"No route {self.route!r}; there are {LIST!r} and {RECORD!r}.")
        if self.name in LOSING_ONCE and self.times is None:
            self.times = self.options.get("times", 1)

    def meets(self, request: Request) -> bool:
        """Say whether this request is met, and count it."""
        if not self._is_for(request) or self.met == self.times:
            return False
        if self.passed < self.after:
            self.passed += 1
            return False
        self.met += 1
        return True

    def _is_for(self, request: Request) -> bool:
        route = RECORD if "id" in request.path_params else LIST
        return (
            self.kind in (None, request.path_params["kind"])
            and self.route in (None, route)
            and request.method in ({self.method} if self.method else FAULTS[self.name])
        )

    def option(self, name: str, default: Any = None) -> Any:
        return self.options.get(name, default)


class Faults:
    """The faults that are switched on now."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def use(self, described: list[dict[str, Any]]) -> None:
        """
        Show these faults and no others.

        Raises:
            ValueError, TypeError: there is no fault of that name, or it has no such property.
        """
        self.active = [Fault(**each) for each in described]

    def add(self, described: list[dict[str, Any]]) -> None:
        """Show these faults too; errors as of `use`."""
        self.active = [*self.active, *(Fault(**each) for each in described)]

    def described(self) -> list[dict[str, Any]]:
        """Give the faults with what they have met."""
        names = [each.name for each in fields(Fault)]
        return [{name: getattr(fault, name) for name in names} for fault in self.active]

    async def around(
        self,
        request: Request,
        endpoint: Callable[[Request], Awaitable[Response]],
        carried: list[Fault],
    ) -> Response:
        """Answer a request with the faults that meet it, among them those that it has carried."""
        met = [fault for fault in [*self.active, *carried] if fault.meets(request)]
        request.state.late = max((late_seconds(fault) for fault in met), default=0.0)
        request.state.skew = sum(skew_seconds(fault) for fault in met)
        for fault in met:
            if fault.name in BEFORE and (early := await BEFORE[fault.name](fault)) is not None:
                return early
        response = await endpoint(request)
        for fault in met:
            if fault.name in ANSWER and response.media_type == JSONResponse.media_type:
                response = _changed(response, ANSWER[fault.name], request, fault)
        for fault in met:
            if fault.name in BODY:
                response = await BODY[fault.name](response, fault)
        return response


def carried_by(request: Request) -> list[Fault]:
    """
    The fault that the header X-Fault of a request tells, for this request alone.

    Raises:
        ValueError, TypeError: that is no fault.
    """
    told = request.headers.get("X-Fault")
    return [Fault(**json.loads(told))] if told else []


# -- before ----------------------------------------------------------------------------------------


async def _latency(fault: Fault) -> None:
    await asyncio.sleep(fault.option("seconds", 1.0))


async def _too_many_requests(fault: Fault) -> Response:
    pause = fault.option("retry_after", 1)
    headers = {} if pause is None else {"Retry-After": str(pause)}
    return JSONResponse({"error": "Too many requests."}, 429, headers)


async def _server_error(fault: Fault) -> Response:
    return JSONResponse({"error": "Something broke."}, fault.option("status", 500))


async def _unavailable(fault: Fault) -> Response:
    return JSONResponse({"error": "Temporarily unavailable."}, 503)


async def _not_json(fault: Fault) -> Response:
    return HTMLResponse("<h1>Down for maintenance</h1>")


# -- answers ---------------------------------------------------------------------------------------


def _changed(
    response: Response, change: Callable[[Any, Request, Fault], Any], request: Request, fault: Fault
) -> Response:
    content = change(json.loads(bytes(response.body)), request, fault)
    headers = {name: text for name, text in response.headers.items() if name != "content-length"}
    return JSONResponse(content, response.status_code, headers)


def _each_record(answer: Any, change: Callable[[Record], Record]) -> Any:
    if "items" in answer:
        return {**answer, "items": [change(record) for record in answer["items"]]}
    return change(answer) if "id" in answer else answer


def _missing_field(answer: Any, request: Request, fault: Fault) -> Any:
    """One record, by `id`, loses its `field`; all of them without an id."""

    def change(record: Record) -> Record:
        if fault.option("id", record["id"]) != record["id"]:
            return record
        return {name: value for name, value in record.items() if name != fault.options["field"]}

    return _each_record(answer, change)


def _unknown_field(answer: Any, request: Request, fault: Fault) -> Any:
    """Records have a `field` more, with a `value`."""
    more = {fault.option("field", "surprise"): fault.option("value", {"of": ["any", 1, None]})}
    return _each_record(answer, lambda record: {**record, **more})


def _duplicated_page(answer: Any, request: Request, fault: Fault) -> Any:
    """The page comes once more, under another address."""
    if "items" not in answer:
        return answer
    return {**answer, "next": str(request.url.include_query_params(again=fault.met))}


def _page_loop(answer: Any, request: Request, fault: Fault) -> Any:
    """The page names itself as the next one."""
    return {**answer, "next": str(request.url)} if "items" in answer else answer


def _shifted_page(answer: Any, request: Request, fault: Fault) -> Any:
    """
    Records move between two pages: `by` of them come again, or are left out where it is negative.
    """
    if not answer.get("items") or not answer.get("next"):
        return answer
    by, items = fault.option("by", 1), answer["items"]
    if by < 0:
        return {**answer, "items": items[:by]}
    after = items[max(len(items) - 1 - by, 0)]["id"]
    return {**answer, "next": str(request.url.include_query_params(after=after))}


def _clock_skew(answer: Any, request: Request, fault: Fault) -> Any:
    seconds = skew_seconds(fault)

    def change(record: Record) -> Record:
        return {**record, "updated_at": shifted(record["updated_at"], seconds)}

    return _each_record(answer, change)


# -- bodies ----------------------------------------------------------------------------------------


async def _truncated_json(response: Response, fault: Fault) -> Response:
    body = bytes(response.body)
    return Response(body[: len(body) // 2], response.status_code, media_type=response.media_type)


async def _dropped_response(response: Response, fault: Fault) -> Response:
    """What was asked is done; nobody hears of it.  `hold`: the caller waits so long."""
    await asyncio.sleep(fault.option("hold", 0))
    return NoAnswer(status_code=response.status_code)


# -- clocks ----------------------------------------------------------------------------------------


def late_seconds(fault: Fault) -> float:
    """How much later than the answer a new record is stored."""
    if fault.name not in LATE:
        return 0.0
    return float(fault.option("seconds", LATE[fault.name]))


def skew_seconds(fault: Fault) -> float:
    """How far the shop's clock is ahead."""
    return float(fault.option("seconds", 90.0)) if fault.name == "clock_skew" else 0.0


def shifted(stamp: str, seconds: float) -> str:
    """A stamp of the shop, so much later."""
    moved = datetime.fromisoformat(stamp.replace("Z", "+00:00")) + timedelta(seconds=seconds)
    return moved.strftime(STAMP)


BEFORE: dict[str, Callable[[Fault], Awaitable[Response | None]]] = {
    "latency": _latency,
    "not_json": _not_json,
    "server_error": _server_error,
    "too_many_requests": _too_many_requests,
    "unavailable": _unavailable,
}
ANSWER: dict[str, Callable[[Any, Request, Fault], Any]] = {
    "clock_skew": _clock_skew,
    "duplicated_page": _duplicated_page,
    "missing_field": _missing_field,
    "page_loop": _page_loop,
    "shifted_page": _shifted_page,
    "unknown_field": _unknown_field,
}
BODY: dict[str, Callable[[Response, Fault], Awaitable[Response]]] = {
    "dropped_response": _dropped_response,
    "late_store": _dropped_response,
    "lost_answer": _dropped_response,
    "truncated_json": _truncated_json,
}
#: A record is stored so many seconds after its answer was lost, by default.
LATE = {"late_store": 3.0, "lost_answer": 0.0}
#: A caller who always loses the answer would never get on.
LOSING_ONCE = frozenset({"dropped_response", "late_store", "lost_answer"})

#: Every fault, with the methods of the requests that it meets.
FAULTS: dict[str, frozenset[str]] = {
    **dict.fromkeys([*BEFORE, *BODY], READS | WRITES),
    **dict.fromkeys(["not_json"], READS),
    **dict.fromkeys(ANSWER, READS),
    "clock_skew": READS | WRITES,
    "late_store": frozenset({"POST"}),
    "lost_answer": WRITES,
}
