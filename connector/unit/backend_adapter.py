"""Backend adapters: the only units that talk to the external system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from connector.connector import ConnectorUnit, ExternalId
from connector.exception import BackendResponseError

__all__ = ["BackendAdapter", "CRUDAdapter", "LostAnswer", "Page"]

Record = Mapping[str, Any]


class LostAnswer(StrEnum):
    """How to find out whether the backend has taken a create whose answer was lost."""

    IDEMPOTENCY_KEY = "idempotency_key"  #: `create` takes one; a key makes one record, ever
    NATURAL_KEY = "natural_key"  #: `find` gives the record made of some data
    PERSON = "person"  #: nothing tells; a person has to look


@dataclass(frozen=True)
class Page:
    """Some records of a listing, and where the next page is."""

    records: list[Any]
    #: what `search_page` takes to go on; a JSON value; None after the last page
    next: Any = None
    #: how many records the whole listing has, where the backend says so
    total: int | None = None
    #: when the backend answered, by its own clock, in UTC without zone; None where it does not say
    read_at: datetime | None = None


class BackendAdapter(ConnectorUnit):
    """Speaks the protocol of a backend for one of its models."""

    #: Field of a record that holds its external id.
    _id_field: ClassVar[str] = "id"
    #: Field of a record that holds when the backend changed it last, by the backend's clock.
    _updated_at_field: ClassVar[str] = "updated_at"

    def external_id_of(self, record: Record) -> ExternalId:
        """
        Give the external id of a record as the backend sends it.

        Raises:
            BackendResponseError: the record has no such field.
        """
        try:
            external_id: ExternalId = record[self._id_field]
        except (KeyError, TypeError) as error:
            raise BackendResponseError(
                f"A record of {self.connector_env.model_name!r} has no field "
                f"{self._id_field!r}, which should hold its id. Set `_id_field` of "
                f"{type(self).__qualname__} to the field that does, or mend the record there."
            ) from error
        return external_id

    def usage(self) -> dict[str, int]:
        """Give what the adapter has used of the backend so far; a hook for the run report."""
        return {}


class CRUDAdapter(BackendAdapter):
    """An adapter for a backend whose records are searched, read, created, written, deleted."""

    _lost_answer: ClassVar[LostAnswer] = LostAnswer.PERSON
    #: After this a request is no longer under way: its timeouts to connect and to answer.
    _request_seconds: ClassVar[float] = 35.0

    def search(self, *args: Any, **kwargs: Any) -> Any:
        """Search records and give their external ids."""
        raise self._missing("search")

    def read(self, *args: Any, **kwargs: Any) -> Any:
        """Give one record by its external id; IDMissingInBackend when it is gone."""
        raise self._missing("read")

    def search_read(self, *args: Any, **kwargs: Any) -> Any:
        """Search records and give them whole."""
        raise self._missing("search_read")

    def create(self, *args: Any, **kwargs: Any) -> Any:
        """Create a record on the backend and give its external id."""
        raise self._missing("create")

    def find(self, data: Record) -> ExternalId | None:
        """Give the id of the record that the backend has made of such data, by a natural key."""
        raise self._missing("find")

    def write(self, *args: Any, **kwargs: Any) -> Any:
        """Change a record on the backend."""
        raise self._missing("write")

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete a record on the backend."""
        raise self._missing("delete")

    def search_page(self, filters: Mapping[str, Any] | None = None, page: Any = None) -> Page:
        """Give one page of a listing with whole records; the first one without *page*."""
        raise self._missing("search_page")

    def search_pages(self, filters: Mapping[str, Any] | None = None) -> Iterator[list[Any]]:
        """Go through a listing page by page and give the records of each."""
        page = self.search_page(filters)
        yield page.records
        while page.next is not None:
            page = self.search_page(filters, page.next)
            yield page.records

    def list_ids(self) -> tuple[list[ExternalId], int | None]:
        """
        Give the ids of all records, and how many there are where the backend says so.

        The default reads the whole listing; a backend with a cheaper list of ids overrides it.
        """
        if type(self).search_page is CRUDAdapter.search_page:
            return list(self.search()), None
        page = self.search_page()
        ids = [self.external_id_of(record) for record in page.records]
        while page.next is not None:
            page = self.search_page(None, page.next)
            ids += [self.external_id_of(record) for record in page.records]
        return ids, page.total

    def reads_together(self) -> bool:
        """Say whether `read_many` asks once for all its records."""
        return type(self).read_many is not CRUDAdapter.read_many

    def read_many(self, external_ids: Iterable[ExternalId]) -> list[Any]:
        """Give many records; a backend that lists by id answers this with one request."""
        return [self.read(external_id) for external_id in external_ids]

    def images(self, external_id: ExternalId) -> Iterable[Any]:
        """Give what the backend tells of a record's images."""
        raise self._missing("images")

    def read_image(self, image: Any) -> bytes:
        """Give the bytes of one of them; IDMissingInBackend when it is gone."""
        raise self._missing("read_image")

    def _missing(self, method: str) -> NotImplementedError:
        return NotImplementedError(
            f"{type(self).__module__}.{type(self).__qualname__} has no {method}(). "
            "Write it in the adapter of the backend."
        )
