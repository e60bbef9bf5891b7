"""The contract passes good adapters, and fails every broken one by the test that is meant to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from connector.backend import Backend
from connector.connector import ConnectorEnvironment
from connector.exception import (
    BackendAccessError,
    BackendRefusalError,
    IDMissingInBackend,
    InvalidExternalIdError,
    NetworkRetryableError,
    RateLimitError,
)
from connector.testing import AdapterContract, Capability, FakeApi
from connector.unit.backend_adapter import CRUDAdapter, LostAnswer, Page
from connector.unit.http_adapter import HttpAdapter

EVERYTHING = frozenset(Capability)
PAGE = 4


class Planets:
    """What a backend keeps: the adapters of a test are made anew and share it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1)
        self.rows = {
            number: {"id": number, "name": f"Planet {number}", "moons": number, "updated_at": ""}
            for number in range(10)
        }
        for row in self.rows.values():
            row["updated_at"] = self.stamp()
        self.by_key: dict[str, int] = {}

    def stamp(self) -> str:
        self.now += timedelta(seconds=1)
        return self.now.isoformat()


class GoodAdapter(CRUDAdapter):
    """An adapter of a backend in memory that keeps to everything."""

    _lost_answer = LostAnswer.IDEMPOTENCY_KEY
    _model_name = "shop.planet"
    planets: Planets
    status: int | None = 200
    headers: Mapping[str, str] = {}
    body = b"{}"

    def check(self) -> None:
        """Answer as the contract wants it, in place of the backend."""
        if self.status is None or self.status >= 500:
            raise NetworkRetryableError("trouble")
        if self.status in (401, 403):
            raise BackendAccessError("no")
        if self.status == 429:
            pause = float(self.headers.get("Retry-After", 1))
            raise RateLimitError("pause", seconds=pause, ignore_retry=True)
        if self.status in (400, 422):
            raise BackendRefusalError("wrong")
        if self.status == 404:
            raise IDMissingInBackend("gone")
        if not self.body.startswith(b"{"):
            raise BackendRefusalError("no JSON")

    def row(self, external_id: Any) -> dict[str, Any]:
        self.check()
        row = self.planets.rows.get(int(external_id))
        if row is None:
            raise IDMissingInBackend(f"No planet {external_id}.")
        return row

    def found(self, filters: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        since = (filters or {}).get("updated_since", "").rstrip("Z")
        rows = self.planets.rows.values()
        return [dict(row) for row in rows if str(row["updated_at"]) >= since]

    def search(self, filters: Mapping[str, Any] | None = None) -> list[Any]:
        return [row["id"] for row in self.found(filters)]

    def search_read(self, filters: Mapping[str, Any] | None = None) -> list[Any]:
        return self.found(filters)

    def search_page(self, filters: Mapping[str, Any] | None = None, page: Any = None) -> Page:
        since, start = page or (filters and filters["updated_since"], 0)
        found = self.found({"updated_since": since or ""})
        more = [since, start + PAGE] if len(found) > start + PAGE else None
        return Page(found[start : start + PAGE], more)

    def read(self, external_id: Any) -> Any:
        return dict(self.row(external_id))

    def create(self, data: Mapping[str, Any], idempotency_key: str | None = None) -> Any:
        self.check()
        planets = self.planets
        known = planets.by_key.get(idempotency_key) if idempotency_key else None
        if known is not None:
            return planets.rows[known]
        number = max(planets.rows) + 1
        planets.rows[number] = {"moons": 0, **data, "id": number, "updated_at": planets.stamp()}
        if idempotency_key:
            planets.by_key[idempotency_key] = number
        return planets.rows[number]

    def find(self, data: Mapping[str, Any]) -> Any:
        found = [row["id"] for row in self.planets.rows.values() if row["name"] == data["name"]]
        return found[0] if found else None

    def write(self, external_id: Any, data: Mapping[str, Any]) -> Any:
        self.row(external_id).update(data, updated_at=self.planets.stamp())

    def delete(self, external_id: Any) -> Any:
        del self.planets.rows[self.row(external_id)["id"]]


class PlanetContract(AdapterContract):
    """The contract of adapters in memory."""

    capabilities = EVERYTHING

    def new_record(self, number: int) -> dict[str, Any]:
        return {"name": f"New {number}", "moons": 2}

    def changed_fields(self) -> dict[str, Any]:
        return {"name": "Changed"}

    def with_wrong_secret(self, adapter: Any) -> Any:
        other = type(adapter)(adapter.connector_env)
        other.status = 401
        return other

    @contextmanager
    def answering(
        self, status: int | None, headers: Any = None, body: bytes = b"{}"
    ) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GoodAdapter, "status", status)
            patch.setattr(GoodAdapter, "headers", headers or {})
            patch.setattr(GoodAdapter, "body", body)
            yield


TESTS = [name for name in dir(AdapterContract) if name.startswith("test_")]


def failing(
    contract: AdapterContract, make_adapter: Callable[[], CRUDAdapter]
) -> dict[str, BaseException]:
    """Run the whole contract; give what failed, each test on a new backend."""
    failed: dict[str, BaseException] = {}
    for name in TESTS:
        test = getattr(contract, name)
        contract._made = []
        try:
            test() if name == "test_capabilities_are_declared" else test(make_adapter())
        except Exception as error:
            failed[name] = error
    return failed


@pytest.fixture
def memory(connector_env: ConnectorEnvironment) -> Callable[[type], Callable[[], Any]]:
    def of(adapter_class: type) -> Callable[[], Any]:
        def make() -> Any:
            adapter_class.planets = Planets()
            return adapter_class(connector_env)

        return make

    return of


def test_a_good_adapter_passes(memory: Any) -> None:
    """An adapter that keeps to everything fails nothing; 0 is an id of it."""
    assert failing(PlanetContract(), memory(GoodAdapter)) == {}


# -- mutants ---------------------------------------------------------------------------------------


def mutant(**methods: Any) -> type:
    return type("Mutant", (GoodAdapter,), methods)


def _page_changed(change: Callable[[Page, Any], Page]) -> Any:
    def search_page(self: Any, filters: Any = None, page: Any = None) -> Page:
        return change(GoodAdapter.search_page(self, filters, page), page)

    return search_page


def _remembered(self: Any, filters: Any = None, page: Any = None) -> Page:
    """Keep the place in the adapter, as a client with a cursor does."""
    self.place = getattr(self, "place", None) if page else None
    found = GoodAdapter.search_page(self, filters, self.place)
    self.place = found.next
    return Page(found.records, found.next and "go on")


def _failing_as(error: Exception, *statuses: int | None) -> Any:
    def check(self: Any) -> None:
        if self.status in statuses:
            raise error
        GoodAdapter.check(self)

    return check


def _ids_changed(change: Callable[[Any], Any]) -> Any:
    return lambda self, filters=None: change(GoodAdapter.search(self, filters))


def _read_by_number(self: Any, external_id: Any) -> Any:
    if isinstance(external_id, str):
        raise IDMissingInBackend("No text is known.")
    return GoodAdapter.read(self, external_id)


def _without_key(self: Any, data: Any, idempotency_key: Any = None) -> Any:
    return GoodAdapter.create(self, data)


def _one_for_all_keys(self: Any, data: Any, idempotency_key: Any = None) -> Any:
    return GoodAdapter.create(self, data, idempotency_key and "the one")


def _create_losing_a_field(self: Any, data: Any, **options: Any) -> Any:
    return GoodAdapter.create(self, {"name": data["name"]}, **options)


def _create_twice(self: Any, data: Any, **options: Any) -> Any:
    GoodAdapter.create(self, data)
    return GoodAdapter.create(self, data, **options)


def _write_all(self: Any, external_id: Any, data: Any) -> None:
    for row in self.planets.rows.values():
        row.update(data, updated_at=self.planets.stamp())
    self.row(external_id)


def _write_whole(self: Any, external_id: Any, data: Any) -> None:
    row = self.row(external_id)
    for name in {*row} - {"id"}:
        row[name] = None
    row.update(data, updated_at=self.planets.stamp())


def _write_without_stamp(self: Any, external_id: Any, data: Any) -> None:
    self.row(external_id).update(data)


def _quiet(method: str) -> Any:
    def call(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return getattr(GoodAdapter, method)(self, *args, **options)
        except IDMissingInBackend:
            return None

    return call


def _hidden(self: Any, external_id: Any) -> None:
    self.row(external_id)["name"] = "deleted"


def _delete_two(self: Any, external_id: Any) -> None:
    GoodAdapter.delete(self, external_id)
    self.planets.rows.pop(3)


MUTANTS = {
    "empty ids": (
        mutant(search=_ids_changed(lambda ids: [None, *ids])),
        "test_search_gives_ids",
    ),
    "boolean ids": (
        mutant(search=_ids_changed(lambda ids: [True, *ids])),
        "test_search_gives_ids",
    ),
    "ids of two types": (
        mutant(search=_ids_changed(lambda ids: [str(ids[0]), *ids[1:]])),
        "test_search_gives_ids",
    ),
    "an id twice": (
        mutant(search=_ids_changed(lambda ids: [*ids, ids[0]])),
        "test_search_gives_ids",
    ),
    "records for ids": (
        mutant(search=lambda self, filters=None: self.found(filters)),
        "test_search_gives_ids",
    ),
    "another record": (
        mutant(read=lambda self, external_id: dict(self.planets.rows[5])),
        "test_read_gives_the_record_of_the_id",
    ),
    "no id in the record": (
        mutant(_id_field="planet_id"),
        "test_read_gives_the_record_of_the_id",
    ),
    "ids as numbers only": (mutant(read=_read_by_number), "test_read_takes_the_id_as_text"),
    "None for a missing record": (
        mutant(read=_quiet("read")),
        "test_read_of_an_unknown_id_is_missing",
    ),
    "KeyError for a missing record": (
        mutant(read=lambda self, external_id: dict(self.planets.rows[int(external_id)])),
        "test_read_of_an_unknown_id_is_missing",
    ),
    "read_many with one too few": (
        mutant(read_many=lambda self, ids: [self.read(each) for each in list(ids)[1:]]),
        "test_read_many_gives_the_records_of_the_ids",
    ),
    "read_many of nothing gives all": (
        mutant(read_many=lambda self, ids: [self.read(each) for each in ids] or self.search_read()),
        "test_read_many_gives_the_records_of_the_ids",
    ),
    "a listing of half records": (
        mutant(search_read=lambda self, filters=None: [{"id": e} for e in self.search(filters)]),
        "test_search_read_gives_whole_records",
    ),
    "a listing without its end": (
        mutant(search_read=lambda self, filters=None: self.found(filters)[:-1]),
        "test_search_read_gives_whole_records",
    ),
    "only the first page": (
        mutant(search_page=_page_changed(lambda page, link: Page(page.records))),
        "test_pages_bring_every_record_once",
    ),
    "the last page for ever": (
        mutant(search_page=_page_changed(lambda page, link: Page(page.records, page.next or link))),
        "test_pages_bring_every_record_once",
    ),
    "pages that overlap": (
        mutant(
            search_page=_page_changed(
                lambda page, link: Page(page.records, page.next and [None, page.next[1] - 1])
            )
        ),
        "test_pages_bring_every_record_once",
    ),
    "pages with gaps": (
        mutant(search_page=_page_changed(lambda page, link: Page(page.records[1:], page.next))),
        "test_pages_bring_every_record_once",
    ),
    "pages of half records": (
        mutant(
            search_page=_page_changed(
                lambda page, link: Page(
                    [{"id": r["id"], "updated_at": r["updated_at"]} for r in page.records],
                    page.next,
                )
            )
        ),
        "test_pages_bring_whole_records",
    ),
    "a link that is no JSON": (
        mutant(
            search_page=_page_changed(
                lambda page, link: Page(page.records, tuple(page.next) if page.next else None)
            )
        ),
        "test_the_next_page_is_read_by_another_job",
    ),
    "a page remembered in the adapter": (
        mutant(search_page=_remembered),
        "test_the_next_page_is_read_by_another_job",
    ),
    "no dates": (mutant(_updated_at_field="changed"), "test_every_record_tells_when_it_changed"),
    "since is not heard": (
        mutant(found=lambda self, filters: [dict(row) for row in self.planets.rows.values()]),
        "test_what_is_older_is_not_listed_since",
    ),
    "since lists nothing": (
        mutant(
            found=lambda self, filters: (
                [] if (filters or {}).get("updated_since") else GoodAdapter.found(self, filters)
            )
        ),
        "test_a_change_is_listed_since",
    ),
    "changes without a date": (mutant(write=_write_without_stamp), "test_a_change_is_listed_since"),
    "a field that is lost": (
        mutant(create=_create_losing_a_field),
        "test_create_makes_a_record_of_the_data",
    ),
    "no answer to a create": (
        mutant(create=lambda self, data, **o: GoodAdapter.create(self, data, **o) and None),
        "test_create_makes_a_record_of_the_data",
    ),
    "two records for one create": (
        mutant(create=_create_twice),
        "test_each_create_makes_one_record",
    ),
    "a key that is not sent": (mutant(create=_without_key), "test_one_key_makes_one_record"),
    "one key for everything": (mutant(create=_one_for_all_keys), "test_one_key_makes_one_record"),
    "keys not declared": (
        mutant(_lost_answer=LostAnswer.PERSON),
        "test_one_key_makes_one_record",
    ),
    "find finds anything": (
        mutant(find=lambda self, data: 0),
        "test_find_gives_the_record_of_the_data",
    ),
    "find finds nothing": (
        mutant(find=lambda self, data: None),
        "test_find_gives_the_record_of_the_data",
    ),
    "a write to all records": (mutant(write=_write_all), "test_write_changes_the_fields_given"),
    "a write that empties": (mutant(write=_write_whole), "test_write_changes_the_fields_given"),
    "a write that is not sent": (
        mutant(write=lambda self, external_id, data: self.row(external_id) and None),
        "test_write_changes_the_fields_given",
    ),
    "a write of nothing": (
        mutant(write=_quiet("write")),
        "test_write_of_an_unknown_id_is_missing",
    ),
    "a delete that hides": (mutant(delete=_hidden), "test_delete_removes_the_record"),
    "a delete of two": (mutant(delete=_delete_two), "test_delete_removes_the_record"),
    "a delete of nothing": (
        mutant(delete=_quiet("delete")),
        "test_delete_of_an_unknown_id_is_missing",
    ),
    "a wrong secret is let in": (
        mutant(
            __init__=lambda self, env: GoodAdapter.__init__(self, env),
            check=lambda self: None if self.status == 401 else GoodAdapter.check(self),
        ),
        "test_a_wrong_secret_is_refused",
    ),
    "403 is retried": (
        mutant(check=_failing_as(NetworkRetryableError("again"), 403)),
        "test_refused_credentials_wait_for_a_person",
    ),
    "404 is some error": (
        mutant(check=_failing_as(RuntimeError("404"), 404)),
        "test_a_record_that_is_gone_is_missing",
    ),
    "a pause of its own": (
        mutant(check=_failing_as(RateLimitError("wait", seconds=1, ignore_retry=True), 429)),
        "test_a_pause_is_as_long_as_the_backend_asks",
    ),
    "a pause that counts": (
        mutant(check=_failing_as(RateLimitError("wait", seconds=7), 429)),
        "test_a_pause_is_as_long_as_the_backend_asks",
    ),
    "502 is final": (
        mutant(check=_failing_as(BackendRefusalError("no"), 502)),
        "test_a_backend_in_trouble_is_tried_again",
    ),
    "a bare connection error": (
        mutant(check=_failing_as(requests.ConnectionError("broke"), None)),
        "test_a_backend_in_trouble_is_tried_again",
    ),
    "422 is retried": (
        mutant(check=_failing_as(NetworkRetryableError("again"), 422)),
        "test_refused_data_is_not_tried_again",
    ),
    "JSON errors come through": (
        mutant(
            check=lambda self: (
                GoodAdapter.check(self) if self.body.startswith(b"{") else json.loads(self.body)
            )
        ),
        "test_what_is_no_json_is_an_error_of_the_connector",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_adapter_fails(memory: Any, name: str) -> None:
    """Each mutant fails the test that is about what is broken, with a message."""
    adapter_class, meant = MUTANTS[name]

    failed = failing(PlanetContract(), memory(adapter_class))

    assert meant in failed, sorted(failed)
    assert str(failed[meant])


def test_every_test_of_the_contract_is_failed_by_a_mutant() -> None:
    """No test of the contract is there that nothing can fail."""
    meant = {test for _, test in MUTANTS.values()}

    assert set(TESTS) - meant == {"test_capabilities_are_declared"}


def test_a_contract_that_declares_nothing_fails() -> None:
    """Without capabilities, or with unknown ones, the contract says so instead of passing."""
    with pytest.raises(AssertionError, match="Declare `capabilities`"):
        AdapterContract().test_capabilities_are_declared()

    class Wrong(AdapterContract):
        capabilities = frozenset({"fly"})

    with pytest.raises(AssertionError, match="There is no capability"):
        Wrong().test_capabilities_are_declared()


@pytest.mark.parametrize("hook", ["new_record", "changed_fields", "with_wrong_secret"])
def test_a_hook_that_is_missing_is_named(hook: str) -> None:
    """A declared capability without the hook it needs says what to write."""
    given = {"new_record": [1], "changed_fields": [], "with_wrong_secret": [None]}[hook]

    with pytest.raises(NotImplementedError, match=rf"no {hook}\(\)\. Write it"):
        getattr(AdapterContract(), hook)(*given)


def test_ids_that_are_none_say_so(memory: Any) -> None:
    """The message of a failing test names the value that is no id."""
    adapter_class = mutant(search=_ids_changed(lambda ids: [False, *ids]))

    with pytest.raises(InvalidExternalIdError, match="False is no external id"):
        PlanetContract().test_search_gives_ids(memory(adapter_class)())


# -- the framework's own adapter -------------------------------------------------------------------


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    """One for all tests: each of them takes away what it has made."""
    customers = [{"id": number, "name": f"Customer {number}"} for number in range(1, 26)]
    with FakeApi({"customers": customers}) as api:
        yield api
        assert len(api.records("customers")) == 25


class TestHttpAdapter(AdapterContract):
    """The HTTP adapter of the framework keeps to the contract, on the API that it speaks."""

    capabilities = EVERYTHING

    @pytest.fixture
    def adapter(self, api: FakeApi, session: Any) -> HttpAdapter:
        return self._adapter(session, api.url, api.token)

    def _adapter(self, session: Any, url: str, token: str) -> HttpAdapter:
        class CustomerAdapter(HttpAdapter):
            _model_name = "shop.customer"
            _path = "customers"
            _lost_answer = LostAnswer.IDEMPOTENCY_KEY

            def find(self, data: Mapping[str, Any]) -> Any:
                found = self.search({"name": data["name"]})
                return found[0] if found else None

        backend = Backend("shop", version=token)
        backend(CustomerAdapter)
        record = SimpleNamespace(
            _name="shop.backend",
            id=hash(token),
            location=url,
            token=token,
            get_backend=lambda: backend,
        )
        environment = ConnectorEnvironment(record, session, "shop.customer")
        return environment.get_connector_unit(HttpAdapter)

    def new_record(self, number: int) -> dict[str, Any]:
        return {"name": f"New customer {number}", "city": "Bern"}

    def changed_fields(self) -> dict[str, Any]:
        return {"city": "Biel"}

    def with_wrong_secret(self, adapter: Any) -> Any:
        return self._adapter(adapter.session, adapter.backend_record.location, "wrong")


def test_what_is_not_declared_is_left_out_and_told() -> None:
    """A test runs where all that it needs is declared; else the reason names what is missing."""

    class Reader(AdapterContract):
        capabilities = frozenset({Capability.SEARCH, Capability.READ})

    reader = Reader()
    assert reader.untested(reader.test_read_takes_the_id_as_text) is None
    assert reader.untested(reader.test_capabilities_are_declared) is None
    assert reader.untested(reader.test_delete_removes_the_record) == (
        "Reader does not declare create, delete: not tested."
    )
