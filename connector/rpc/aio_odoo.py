"""`AsyncOdoo`, the friendly asynchronous face of the external API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from connector.rpc import exchange, model_calls, services
from connector.rpc.aio import settled
from connector.rpc.clients import T_AsyncHttpClient
from connector.rpc.conversation import Account, Pause, Retries, Send, persistent
from connector.rpc.errors import RPCError
from connector.rpc.face import Context, Face
from connector.rpc.model_calls import Domain, Ids, ModelCall, Values
from connector.rpc.paging import Row, pager_for
from connector.rpc.protocol import Call
from connector.rpc.transports import AsyncHttpTransport

T = TypeVar("T")


class AsyncOdoo(Face):
    """
    One user of one database, in one event loop.

    The timeout is the default HTTP client's; one that is given keeps its own.
    """

    def __init__(
        self,
        url: str,
        *,
        db: str,
        password: str,
        login: str | None = None,
        uid: int | None = None,
        http_client: T_AsyncHttpClient | None = None,
        timeout_seconds: float = 30.0,
        retries: Retries | None = None,
        max_in_flight: int = 8,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(url, Account(db, login, password, uid), retries, context)
        self._own_transport: AsyncHttpTransport | None = None
        if http_client is None:
            http_client = self._own_transport = AsyncHttpTransport(
                timeout_seconds=timeout_seconds, max_connections=max_in_flight
            )
        self._http_client = http_client
        self._in_flight = asyncio.Semaphore(max_in_flight)
        self._login_lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the default HTTP client's connections; one that was given is its owner's."""
        if self._own_transport is not None:
            await self._own_transport.close()

    async def login(self) -> int:
        """
        The user's id, asked for once.

        Raises:
            RPCError: login or password is wrong, or the server gives no answer.
        """
        async with self._login_lock:
            if self._account.uid is not None:
                return self._account.uid
            return self._account.accept(await self.call(self._login_call()))

    async def call(self, call: Call[T]) -> T:
        """The result of any call that `connector.rpc.services` makes, sent again where safe."""
        talk = persistent(call, self._retries)
        step = next(talk)
        try:
            while True:
                try:
                    result = await self._take(step)
                except RPCError as error:
                    step = talk.throw(error)
                else:
                    step = talk.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    async def execute(self, model: str, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """The result of any public method of a model."""
        return await self._run(ModelCall(model, method, list(args), kwargs), None)

    async def version(self) -> str:
        """The series of the server, such as `14.0`."""
        return await self.call(services.version())

    async def search(
        self,
        model: str,
        domain: Domain = (),
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        context: Context = None,
    ) -> list[int]:
        """The ids of the records that match *domain*."""
        call = model_calls.search(model, domain, offset=offset, limit=limit, order=order)
        ids: list[int] = await self._run(call, context)
        return ids

    async def search_count(
        self, model: str, domain: Domain = (), *, context: Context = None
    ) -> int:
        """How many records match *domain*."""
        number: int = await self._run(model_calls.search_count(model, domain), context)
        return number

    async def search_read(
        self,
        model: str,
        domain: Domain = (),
        fields: Sequence[str] | None = None,
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        context: Context = None,
    ) -> list[Row]:
        """The records that match *domain*, as dictionaries that hold `id` and *fields*."""
        call = model_calls.search_read(
            model, domain, fields, offset=offset, limit=limit, order=order
        )
        rows: list[Row] = await self._run(call, context)
        return rows

    async def iter_records(
        self,
        model: str,
        domain: Domain = (),
        fields: Sequence[str] | None = None,
        *,
        order: str | None = None,
        page_size: int = 500,
        context: Context = None,
    ) -> AsyncIterator[Row]:
        """
        Every record that matches *domain*, fetched *page_size* at a time.

        By id, which is the default order, each record comes exactly once, whatever is created
        or deleted meanwhile. In another order one may then come twice or be missed.
        """
        pager = pager_for(domain, order, page_size)
        while not pager.done:
            rows = await self.search_read(
                model, fields=fields, context=context, **pager.next_page()
            )
            pager.accept(rows)
            for row in rows:
                yield row

    async def read(
        self,
        model: str,
        ids: Ids,
        fields: Sequence[str] | None = None,
        *,
        context: Context = None,
    ) -> list[Row]:
        """The records of *ids*, as dictionaries that hold `id` and *fields*."""
        rows: list[Row] = await self._run(model_calls.read(model, ids, fields), context)
        return rows

    @overload
    async def create(self, model: str, values: Values, *, context: Context = None) -> int: ...

    @overload
    async def create(
        self, model: str, values: Sequence[Values], *, context: Context = None
    ) -> list[int]: ...

    async def create(
        self, model: str, values: Values | Sequence[Values], *, context: Context = None
    ) -> int | list[int]:
        """The id of the record made, or of each one where a list is given (12.0 and later)."""
        made: int | list[int] = await self._run(model_calls.create(model, values), context)
        return made

    async def write(self, model: str, ids: Ids, values: Values, *, context: Context = None) -> bool:
        """Give the records of *ids* new values."""
        written: bool = await self._run(model_calls.write(model, ids, values), context)
        return written

    async def unlink(self, model: str, ids: Ids, *, context: Context = None) -> bool:
        """Delete the records of *ids*."""
        deleted: bool = await self._run(model_calls.unlink(model, ids), context)
        return deleted

    async def fields_get(
        self,
        model: str,
        fields: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
        *,
        context: Context = None,
    ) -> dict[str, dict[str, Any]]:
        """What the model's fields are, by name."""
        call = model_calls.fields_get(model, fields, attributes)
        described: dict[str, dict[str, Any]] = await self._run(call, context)
        return described

    async def _run(self, call: ModelCall, context: Context) -> Any:
        uid = self._account.uid
        if uid is None:
            uid = await self.login()
        return await self.call(self._model_call(uid, call, context))

    async def _take(self, step: Send | Pause) -> Any:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        async with self._in_flight:
            return await settled(exchange.send(self._http_client, self._url, step.call))
