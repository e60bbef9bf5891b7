"""What the functions ask of an HTTP client: `requests`, `httpx`, `aiohttp` or a callable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class T_Response(Protocol):  # noqa: N801 - the name that users of the API know
    """An answer that can be read as JSON."""

    def json(self) -> Any: ...


class T_AsyncResponse(Protocol):  # noqa: N801 - the name that users of the API know
    """An answer that can be read as JSON, at once or when awaited."""

    def json(self) -> Any | Awaitable[Any]: ...


class PostingClient(Protocol):
    """A client that posts a payload and returns the answer."""

    def post(self, url: str, *, json: Any) -> T_Response: ...


class AsyncPostingClient(Protocol):
    """A client that posts a payload and returns the answer when awaited."""

    def post(self, url: str, *, json: Any) -> Awaitable[T_AsyncResponse]: ...


#: A client, or a callable that takes the payload; the URL is its own affair.
T_HttpClient = PostingClient | Callable[[dict[str, Any]], T_Response]

#: A client, or a callable that takes the payload and returns the answer, perhaps awaited.
T_AsyncHttpClient = (
    AsyncPostingClient
    | PostingClient
    | Callable[[dict[str, Any]], Awaitable[T_AsyncResponse] | T_AsyncResponse]
)

#: A client of either kind.
T_AnyHttpClient = T_HttpClient | T_AsyncHttpClient
