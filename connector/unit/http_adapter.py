"""An adapter for backends with a REST API: one path per model, JSON records, pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote
from weakref import WeakKeyDictionary

from connector.connector import ExternalId
from connector.exception import BackendResponseError, DryRunError
from connector.queue.rate_budget import RateBudget
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.http_client import HttpClient

__all__ = ["HttpAdapter"]

#: The clients of a session; all adapters of one task share the one of their backend.
_clients: WeakKeyDictionary[ConnectorSession, dict[tuple[str, int], HttpClient]] = (
    WeakKeyDictionary()
)


class HttpAdapter(CRUDAdapter):
    """
    Reads `<location>/<_path>` and `<location>/<_path>/<id>` of a backend.

    The hooks say how the backend record gives location and credentials, and how a listing is
    paged; the defaults read `location` and `token` of the record, send the token as a bearer,
    and take a listing as `{"<_records_key>": [...], "next": <link or null>}`.
    """

    #: Path of the model below the location, without slashes at its ends.
    _path: ClassVar[str] = ""
    _records_key: ClassVar[str] = "items"
    _next_key: ClassVar[str] = "next"
    _total_key: ClassVar[str] = "total"
    #: Query parameter that limits a listing to some ids, comma separated; None: there is none.
    _ids_param: ClassVar[str | None] = None
    #: Requests a second that all workers together may send to one backend; None: any number.
    _requests_per_second: ClassVar[float | None] = None
    #: Requests that may go out at once after a pause.
    _requests_at_once: ClassVar[int] = 1

    # -- hooks -------------------------------------------------------------------------------

    def location(self) -> str:
        """Give the base URL of the API."""
        return str(self.backend_record.location)

    def secret(self) -> str:
        """Give the token; no error and no `repr` ever shows it."""
        return str(self.backend_record.token or "")

    def headers(self) -> dict[str, str]:
        """Give the headers of every request."""
        return {"Authorization": f"Bearer {self.secret()}"}

    def budget(self) -> RateBudget | None:
        """Give the budget of requests, by default one for each backend; None: there is none."""
        if self._requests_per_second is None:
            return None
        record = self.backend_record
        key = f"{self.session.cr.dbname}:{record._name}:{record.id}"
        return RateBudget(key, self._requests_per_second, self._requests_at_once)

    def page_of(self, answer: Any) -> Page:
        """
        Give the records of a listing and its link to the next page.

        Raises:
            BackendResponseError: the answer is no listing.
        """
        records = answer.get(self._records_key) if isinstance(answer, Mapping) else None
        if not isinstance(records, list):
            raise BackendResponseError(
                f"The listing of {self._path!r} on {self.client!r} has no list "
                f"{self._records_key!r}. Check that the location of the backend is its API."
            )
        total = answer.get(self._total_key)
        declared = total if isinstance(total, int) else None
        return Page(records, answer.get(self._next_key) or None, declared)

    # -- requests ----------------------------------------------------------------------------

    @property
    def client(self) -> HttpClient:
        """The client that all adapters of this session and backend share."""
        clients = _clients.setdefault(self.session, {})
        key = (self.backend_record._name, self.backend_record.id)
        if key not in clients:
            clients[key] = HttpClient(
                self.location(), self.headers(), (self.secret(),), budget=self.budget()
            )
        return clients[key]

    def usage(self) -> dict[str, int]:
        return {"requests": self.client.requests, "throttled": self.client.throttled}

    def search_page(self, filters: Mapping[str, Any] | None = None, page: Any = None) -> Page:
        if page is None:
            return self._dated(self.page_of(self.client.get(self._path, params=filters)))
        found = self._dated(self.page_of(self.client.get(page)))
        if found.next == page:
            raise BackendResponseError(
                f"A page of the listing of {self._path!r} on {self.client!r} names itself as the "
                "next one, so the listing has no end. Tell whoever runs the backend."
            )
        return found

    def _dated(self, page: Page) -> Page:
        """Give a page with the time of its answer, where `page_of` has not found a better one."""
        return page if page.read_at else replace(page, read_at=self.client.answered_at)

    def search(self, filters: Mapping[str, Any] | None = None) -> list[ExternalId]:
        """Give the external ids of all records that the filters let through."""
        return [
            self.external_id_of(record)
            for records in self.search_pages(filters)
            for record in records
        ]

    def search_read(self, filters: Mapping[str, Any] | None = None) -> list[Any]:
        """Give all records that the filters let through."""
        return [record for records in self.search_pages(filters) for record in records]

    def read(self, external_id: ExternalId) -> Any:
        """Give one record; IDMissingInBackend when the backend does not have it."""
        return self.client.get(self._record_path(external_id))

    def reads_together(self) -> bool:
        overridden = type(self).read_many is not HttpAdapter.read_many
        return overridden or self._ids_param is not None

    def read_many(self, external_ids: Iterable[ExternalId]) -> list[Any]:
        """Give many records, in one request where the backend lists by id (`_ids_param`)."""
        ids = list(external_ids)
        if self._ids_param is None or not ids:
            return super().read_many(ids)
        return self.search_read({self._ids_param: ",".join(map(str, ids))})

    def _record_path(self, external_id: ExternalId) -> str:
        return f"{self._path}/{quote(str(external_id), safe='')}"

    def create(self, data: Mapping[str, Any], idempotency_key: str | None = None) -> Any:
        """Create a record and give what the backend answers."""
        self._refuse_in_dry_run("create")
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.client.json("POST", self._path, json=dict(data), headers=headers)

    def write(self, external_id: ExternalId, data: Mapping[str, Any]) -> Any:
        """Change some fields of a record."""
        self._refuse_in_dry_run("change")
        return self.client.json("PATCH", self._record_path(external_id), json=dict(data))

    def delete(self, external_id: ExternalId) -> Any:
        """Delete a record."""
        self._refuse_in_dry_run("delete")
        return self.client.json("DELETE", self._record_path(external_id))

    def _refuse_in_dry_run(self, what: str) -> None:
        if self.session.context.get("connector_dry_run"):
            raise DryRunError(
                f"A hook of the import would {what} a record of {self._path!r} on "
                f"{self.client!r}; a dry run writes nothing there. What the backend would answer "
                "is not known."
            )
