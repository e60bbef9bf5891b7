"""The adapter under test: what its author gives, and how the tests ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
import requests
from requests.adapters import HTTPAdapter

from connector.connector import ExternalId, external_key
from connector.exception import IDMissingInBackend, NoConnectorUnitError
from connector.testing.contract.capability import Capability
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.incremental import IncrementalImporter
from connector.unit.modifier import to_utc

Record = Mapping[str, Any]

#: A listing for tests is shorter.
MAX_PAGES = 1000


class AdapterUnderTest:
    """What every part of the contract stands on."""

    capabilities: ClassVar[Set[Capability]] = frozenset()
    #: Fields that change by themselves, so that two readings of a record may differ in them.
    volatile_fields: ClassVar[Set[str]] = frozenset()

    # -- what an author gives ----------------------------------------------------------------

    @pytest.fixture
    def adapter(self) -> CRUDAdapter:
        """The adapter under test, on a backend that has some records."""
        raise NotImplementedError(
            f"{type(self).__name__} has no fixture `adapter`. Write one that gives the adapter, "
            "on a backend of tests that has some records."
        )

    def new_record(self, number: int) -> dict[str, Any]:
        """Give the data of a new record as an export mapper does; different for each number."""
        raise self._missing("new_record", Capability.CREATE)

    def changed_fields(self) -> dict[str, Any]:
        """Give the fields that `write` is tested with, and values that no record has."""
        raise self._missing("changed_fields", Capability.WRITE)

    def change_elsewhere(self, adapter: CRUDAdapter, external_id: ExternalId) -> None:
        """Change a record as somebody else would; by default through `write`."""
        adapter.write(external_id, self.changed_fields())

    def stored(self, data: Record) -> Record:
        """Give what `read` shows of such data once it is sent; by default the same."""
        return data

    def unknown_id(self) -> ExternalId:
        """Give an id that no record has."""
        return 2_000_000_000

    def with_wrong_secret(self, adapter: CRUDAdapter) -> CRUDAdapter:
        """Give an adapter that the backend does not let in."""
        raise self._missing("with_wrong_secret", Capability.ACCESS)

    @contextmanager
    def answering(
        self, status: int | None, headers: Record | None = None, body: bytes = b"{}"
    ) -> Iterator[None]:
        """
        Let the backend answer every request so; without a status the connection breaks.

        By default for adapters that stand on `requests`; one on another client overrides it.
        """

        def send(
            http: HTTPAdapter, request: requests.PreparedRequest, **_: Any
        ) -> requests.Response:
            if status is None:
                raise requests.ConnectionError("The connection broke.", request=request)
            response = requests.Response()
            response.request, response.url = request, str(request.url)
            response.status_code, response._content = status, body
            response.headers.update({"Content-Type": "application/json", **(headers or {})})
            return response

        with patch.object(HTTPAdapter, "send", send):
            yield

    # -- what is declared --------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _declared(self, request: pytest.FixtureRequest) -> Iterator[None]:
        if reason := self.untested(request.function):
            pytest.skip(reason)
        if "adapter" in request.fixturenames:
            # Made here, so that it is still there when this fixture ends.
            request.getfixturevalue("adapter")
        self._made: list[tuple[CRUDAdapter, ExternalId]] = []
        yield
        for adapter, external_id in self._made if Capability.DELETE in self.capabilities else []:
            with suppress(IDMissingInBackend):
                adapter.delete(external_id)

    def untested(self, test: Any) -> str | None:
        """Say why a test of the contract is left out; None where it is not."""
        needed = getattr(test, "needed_capabilities", ())
        missing = [each for each in needed if each not in self.capabilities]
        if not missing:
            return None
        return f"{type(self).__name__} does not declare {', '.join(missing)}: not tested."

    def test_capabilities_are_declared(self) -> None:
        """A contract without capabilities would test nothing."""
        assert self.capabilities, f"Declare `capabilities` in {type(self).__name__}."
        unknown = set(self.capabilities) - set(Capability)
        assert not unknown, f"There is no capability {unknown}; there are {list(Capability)}."

    # -- how they ask ------------------------------------------------------------------------

    def _missing(self, name: str, capability: Capability) -> NotImplementedError:
        return NotImplementedError(
            f"{type(self).__name__} has no {name}(). Write it, or take {capability!r} out of "
            "`capabilities`."
        )

    def _ids(self, adapter: CRUDAdapter) -> list[ExternalId]:
        ids = list(adapter.search())
        assert ids, "search() gives no ids. Test on a backend that has some records."
        for external_id in ids:
            external_key(external_id)  # raises, and says what is no id
        return ids

    def _pages(self, adapter: CRUDAdapter, filters: Record | None = None) -> list[Page]:
        pages, seen = [adapter.search_page(filters)], []
        while (link := pages[-1].next) is not None:
            assert link not in seen, f"The page {link!r} comes again: the listing has no end."
            assert len(pages) < MAX_PAGES, f"After {MAX_PAGES} pages the listing has no end."
            seen.append(link)
            pages.append(adapter.search_page(filters, link))
        return pages

    def _keys(self, adapter: CRUDAdapter, page: Page) -> set[str]:
        return {external_key(adapter.external_id_of(record)) for record in page.records}

    def _listed(self, adapter: CRUDAdapter, since: datetime | None) -> list[Any]:
        try:
            importer = adapter.unit_for(IncrementalImporter)
        except NoConnectorUnitError:
            importer = IncrementalImporter(adapter.connector_env)
        pages = self._pages(adapter, importer.filters(since))
        return [record for page in pages for record in page.records]

    def _changed_at(self, adapter: CRUDAdapter, record: Record) -> datetime:
        value = record.get(adapter._updated_at_field)
        assert value, f"A record has no {adapter._updated_at_field!r}: {dict(record)}"
        moment = to_utc(value)
        assert moment is not None, f"{value!r} is no time of a change."
        return moment

    def _created(self, adapter: CRUDAdapter, data: Record, **options: Any) -> ExternalId:
        answer = adapter.create(dict(data), **options)
        external_id: ExternalId = (
            adapter.external_id_of(answer) if isinstance(answer, Mapping) else answer
        )
        external_key(external_id)  # raises, and says what is no id
        self._made.append((adapter, external_id))
        return external_id

    def _assert_same(self, one: Record, other: Record) -> None:
        names = (one.keys() | other.keys()) - self.volatile_fields
        absent = object()
        differing = {name for name in names if one.get(name, absent) != other.get(name, absent)}
        assert not differing, f"Two readings of one record differ in {sorted(differing)}."

    def _assert_has(self, record: Record, data: Record) -> None:
        differing = {
            name: (record.get(name), value)
            for name, value in data.items()
            if record.get(name) != value
        }
        assert not differing, f"The backend has (left) what was not sent (right): {differing}"

    @contextmanager
    def _raises(self, wanted: type[Exception], what: str) -> Iterator[list[Exception]]:
        raised: list[Exception] = []
        try:
            yield raised
        except wanted as error:
            raised.append(error)
        except Exception as error:
            raise AssertionError(
                f"For {what} the adapter raises {type(error).__name__} ({error}); "
                f"it should be {wanted.__name__}."
            ) from error
        else:
            raise AssertionError(f"For {what} the adapter does not raise {wanted.__name__}.")
