"""A client of an HTTP API that translates every failure and keeps its secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from connector.exception import (
    BackendAccessError,
    BackendRefusalError,
    BackendResponseError,
    BackendUnreachableError,
    ConnectorException,
    IDMissingInBackend,
    NetworkRetryableError,
    RateLimitError,
)
from connector.queue.rate_budget import RateBudget

__all__ = ["HttpClient"]

E = TypeVar("E", bound=ConnectorException)

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
#: What a backend that answers 429 without Retry-After is given.
RATE_LIMIT_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.1
EXCERPT_CHARACTERS = 120
ACCESS_STATUSES = frozenset({401, 403})
GONE_STATUSES = frozenset({404, 410})
RETRY_STATUSES = frozenset({408, 425, 500, 502, 503, 504})

_transports: dict[int, HTTPAdapter] = {}


def _transport() -> HTTPAdapter:
    """Give the process's pool of connections; a forked child makes its own."""
    return _transports.setdefault(os.getpid(), HTTPAdapter())


def close_connections() -> None:
    """Close the connections that this process keeps open; the next request opens its own."""
    _transport().close()


class HttpClient:
    """
    Sends requests below one base URL and gives the JSON of the answers.

    Neither `repr` nor an error shows a header's value, and a secret that stands in a URL or in
    an answer is blanked.  A *budget* is shared with all that name its key, and each request
    waits for its turn.  `requests` and `throttled` count what was sent and answered with 429.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        timeout: tuple[float, float] = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
        budget: RateBudget | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.requests = 0
        self.throttled = 0
        #: When the backend answered last, by its own clock, in UTC without zone.
        self.answered_at: datetime | None = None
        self._timeout = timeout
        self._budget = budget
        self._secrets = tuple(secret for secret in secrets if secret)
        self._session = requests.Session()
        # What the environment says holds, ~/.netrc apart: it would replace the credentials.
        self._session.trust_env = False
        self._session.proxies.update(get_environ_proxies(self.base_url))
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _transport())

    def __repr__(self) -> str:
        return f"<HttpClient {self._blanked(self.base_url)}>"

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET the JSON of *path*, below the base URL or a full URL of the same server."""
        return self.json("GET", path, params=params)

    def json(self, method: str, path: str, **kwargs: Any) -> Any:
        """
        Send a request and give the JSON of the answer, None for an empty one.

        Raises:
            NetworkRetryableError: the answer calls itself JSON, and breaks off.
            BackendResponseError: the answer is no JSON.
        """
        response = self.request(method, path, **kwargs)
        if response.status_code == requests.codes.no_content or not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            kind = response.headers.get("Content-Type", "no content type")
            if "json" in kind:
                raise self._error(
                    NetworkRetryableError,
                    response,
                    f"answers JSON that cannot be read, {len(response.content)} bytes of it: "
                    "it has been cut on its way. It is asked for again.",
                ) from None
            raise self._error(
                BackendResponseError,
                response,
                f"answers {kind}, not JSON: {response.text[:EXCERPT_CHARACTERS]!r}. "
                "Check that the location of the backend is its API.",
            ) from None

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """
        Send a request and give the answer when it is a success.

        Raises:
            BackendUnreachableError: no connection was made, so nothing was sent.
            NetworkRetryableError: no answer, or the server says that it cannot now.
            RateLimitError: 429, or the budget is spent; the job comes back after the pause.
            BackendAccessError: 401 or 403.
            IDMissingInBackend: 404 or 410.
            BackendRefusalError: any other 4xx but 409, which may speak of an earlier request.
            BackendResponseError: any other error, or a URL of another server.
        """
        url = self._url(path)
        if self._budget is not None:
            self._budget.take()
        self.requests += 1
        try:
            response = self._session.request(
                method, url, timeout=kwargs.pop("timeout", self._timeout), **kwargs
            )
        except requests.RequestException as error:
            # The cause names the whole URL, which may hold a secret: its class must do.
            error_class = BackendUnreachableError if _not_sent(error) else NetworkRetryableError
            raise error_class(
                f"{method} {self._shown(url)} got no answer ({type(error).__name__}). "
                "Check that the backend runs and that its location is right."
            ) from None
        self.answered_at = _date_of(response)
        self._check(response)
        return response

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status < requests.codes.bad_request:
            return
        pause = _retry_after(response)
        if status == requests.codes.too_many_requests:
            self.throttled += 1
            error = self._error(RateLimitError, response, "asks for a pause (429).")
            error.seconds, error.ignore_retry = pause or RATE_LIMIT_SECONDS, True
            raise error
        if status in RETRY_STATUSES:
            retry = self._error(NetworkRetryableError, response, f"cannot answer now ({status}).")
            retry.seconds = pause
            raise retry
        if status in ACCESS_STATUSES:
            raise self._error(
                BackendAccessError,
                response,
                f"refuses the credentials ({status}). Check the token of the backend.",
            )
        if status in GONE_STATUSES:
            raise self._error(IDMissingInBackend, response, f"has no such record ({status}).")
        excerpt = response.text[:EXCERPT_CHARACTERS]
        refused = status < requests.codes.server_error and status != requests.codes.conflict
        raise self._error(
            BackendRefusalError if refused else BackendResponseError,
            response,
            f"refuses the request ({status}): {excerpt!r}",
        )

    def _url(self, path: str) -> str:
        url = urljoin(self.base_url, path)
        if urlsplit(url)[:2] != urlsplit(self.base_url)[:2]:
            raise BackendResponseError(
                f"{self._shown(url)} is not on the server {self._shown(self.base_url)}, "
                "so the credentials are not sent there."
            )
        return url

    def _error(self, error_class: type[E], response: requests.Response, text: str) -> E:
        shown = self._shown(response.url)
        return error_class(self._blanked(f"{response.request.method} {shown} {text}"))

    def _shown(self, url: str) -> str:
        """Give a URL without its query and without user and password."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return self._blanked(f"{parts.scheme}://{host}{parts.path}")

    def _blanked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _not_sent(error: requests.RequestException) -> bool:
    """Say whether no connection was made, so that the server cannot have seen the request."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    return isinstance(cause, NewConnectionError | ConnectTimeoutError)


def _date_of(response: requests.Response) -> datetime | None:
    """Give the `Date` of an answer, if it has one that can be read."""
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return date if date.tzinfo is None else date.astimezone(UTC).replace(tzinfo=None)


def _retry_after(response: requests.Response) -> float | None:
    """Give the pause asked for, in seconds; a date is measured by the backend's own clock."""
    value = response.headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(float(value), SHORTEST_PAUSE_SECONDS)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
        now_text = response.headers.get("Date")
        now = parsedate_to_datetime(now_text) if now_text else datetime.now(UTC)
        return max((until - now).total_seconds(), SHORTEST_PAUSE_SECONDS)
    except (TypeError, ValueError):
        return None
