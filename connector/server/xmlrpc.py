"""The addresses of XML-RPC: `/xmlrpc/2/<service>`, and `/xmlrpc/<service>` with texts for codes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from xmlrpc.client import Fault

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connector.server import faults, marshalling
from connector.server.dispatcher import SERVICES, Dispatcher
from connector.server.jsonrpc import dispatched, log, secrets_of
from connector.server.requests import BadRequest, Threads, body_of

XML_TYPE = "text/xml"

FaultOf = Callable[[BaseException, Collection[str]], Fault]


class XmlRpc:
    """One series of addresses; they differ in how an error is told."""

    def __init__(self, dispatcher: Dispatcher, threads: Threads, fault_of: FaultOf) -> None:
        self._dispatcher = dispatcher
        self._threads = threads
        self._fault_of = fault_of

    async def endpoint(self, request: Request) -> Response:
        service = request.path_params["service"]
        if service not in SERVICES:
            return PlainTextResponse(f"There is no service {service!r}.\n", 404)
        try:
            method, args = await self._read(request)
        except BadRequest as error:
            return error.response()
        try:
            result = await dispatched(
                self._dispatcher, self._threads, request, service, method, args
            )
            body = marshalling.to_xmlrpc(result)
        except Exception as error:
            log(error)
            fault = self._fault_of(error, secrets_of(service, method, args))
            body = marshalling.fault_to_xmlrpc(fault)
        return Response(body, media_type=XML_TYPE)

    async def _read(self, request: Request) -> tuple[str | None, tuple[Any, ...]]:
        body = await body_of(request, self._dispatcher.settings)
        try:
            return marshalling.from_xmlrpc(body)
        except ValueError as error:
            raise BadRequest(400, str(error)) from None


def integer_faults(dispatcher: Dispatcher, threads: Threads) -> XmlRpc:
    return XmlRpc(dispatcher, threads, faults.integer_fault)


def string_faults(dispatcher: Dispatcher, threads: Threads) -> XmlRpc:
    return XmlRpc(dispatcher, threads, faults.string_fault)
