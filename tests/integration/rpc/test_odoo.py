"""The friendly faces against a real server."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connector.rpc import AsyncOdoo, Kind, Odoo, RPCError
from connector.rpc.odoo import Retries

ACCOUNT: dict[str, Any] = {"db": "acme", "login": "admin", "password": "s3cr3t-pa$$"}
QUICKLY = Retries(first_wait_seconds=0.01)


class Face:
    """Calls the methods of either face, and gives their values."""

    def __init__(self, odoo: Any, runner: asyncio.Runner | None) -> None:
        self.odoo = odoo
        self._runner = runner

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.value(getattr(self.odoo, method)(*args, **kwargs))

        return call

    def value(self, given: Any) -> Any:
        if inspect.isasyncgen(given):
            return self._run(_all_of(given))
        if inspect.isgenerator(given):
            return list(given)
        return self._run(given) if inspect.isawaitable(given) else given

    def _run(self, awaitable: Any) -> Any:
        assert self._runner is not None
        return self._runner.run(awaitable)


async def _all_of(given: Any) -> list[Any]:
    return [each async for each in given]


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes faces, of each kind in turn, and closes them."""
    made: list[Face] = []
    with asyncio.Runner() as runner:

        def make_face(url: str, **options: Any) -> Face:
            options = {**ACCOUNT, "retries": QUICKLY, **options}
            face = (
                Face(AsyncOdoo(url, **options), runner)
                if request.param == "async"
                else Face(Odoo(url, **options), None)
            )
            made.append(face)
            return face

        yield make_face
        for face in made:
            face.close()


@pytest.fixture
def odoo(make: Any, base_url: str) -> Face:
    """A face of the administrator, the calls counted anew."""
    face: Face = make(base_url)
    face.execute("res.partner", "forget_calls")
    return face


def test_a_record_lives_through_all_methods(odoo: Face) -> None:
    """A record is created, found, read, written, counted and deleted."""
    number = odoo.create("res.partner", {"name": "Azure"})
    found = [["name", "=", "Azure"]]

    assert odoo.search("res.partner", found) == [number]
    assert odoo.read("res.partner", number, ["name"]) == [{"id": number, "name": "Azure"}]
    assert odoo.write("res.partner", [number], {"name": "Brown"}) is True
    assert odoo.search_count("res.partner", found) == 0
    assert odoo.search_read("res.partner", [("name", "=", "Brown")], ["name"]) == [
        {"id": number, "name": "Brown"}
    ]
    assert odoo.unlink("res.partner", number) is True
    assert odoo.search("res.partner", [["id", "=", number]]) == []


def test_a_list_of_values_makes_a_list_of_records(odoo: Face) -> None:
    """`create` of a list gives the ids in its order."""
    ids = odoo.create("res.partner", [{"name": "One"}, {"name": "Two"}])

    assert [row["name"] for row in odoo.read("res.partner", ids, ["name"])] == ["One", "Two"]
    odoo.unlink("res.partner", ids)


def test_fields_are_described(odoo: Face) -> None:
    """`fields_get` can be held to some fields and attributes."""
    assert set(odoo.fields_get("res.partner")) == {"id", "name"}
    assert odoo.fields_get("res.partner", ["name"], ["type"]) == {"name": {"type": "char"}}


def test_a_model_can_be_named_once(odoo: Face) -> None:
    """`odoo[model]` has the face's methods, and every other public method of the model."""
    partners = odoo.odoo["res.partner"]

    assert odoo.value(partners.search([["id", "<", 3]])) == [1, 2]
    assert odoo.value(partners.echo([1], a=2)) == [[[1]], {"a": 2}]
    with pytest.raises(AttributeError, match="Private"):
        partners.__getattr__("_write")


@pytest.mark.parametrize("order", [None, "id", "id desc", "name", "name desc, id desc"])
@pytest.mark.parametrize("page_size", [1, 7, 23, 100])
def test_pages_hold_every_record_once(odoo: Face, order: str | None, page_size: int) -> None:
    """`iter_records` gives what one search gives, in its order, whatever the page's size."""
    rows = odoo.iter_records("res.partner", [], ["name"], order=order, page_size=page_size)

    wanted = odoo.search("res.partner", [], order=f"{order}, id" if order else "id")
    assert [row["id"] for row in rows] == wanted


def test_pages_keep_to_a_domain_with_operators(odoo: Face) -> None:
    """The condition that goes from page to page joins a prefix domain as a whole."""
    domain = ["|", ["id", "<", 4], ["id", ">", 20]]

    rows = odoo.iter_records("res.partner", domain, [], page_size=2)

    assert [row["id"] for row in rows] == [1, 2, 3, 21, 22, 23]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("search", ["name"]),
        ("search", [{"name": "x"}]),
        ("search_read", [[], "name"]),
        ("read", [[1], "name"]),
    ],
)
def test_a_text_is_no_list(odoo: Face, method: str, arguments: list[Any]) -> None:
    """A text where a domain or a list of fields belongs is a mistake, not many one-letter ones."""
    with pytest.raises(TypeError, match="list of"):
        getattr(odoo, method)("res.partner", *arguments)


def test_the_context_is_merged(make: Any, base_url: str) -> None:
    """A call's own context is laid over the default one."""
    face = make(base_url, context={"lang": "fr_FR", "tz": "UTC"})

    _, named = face.execute("res.partner", "echo", context={"tz": "Europe/Paris"})

    assert named == {"context": {"lang": "fr_FR", "tz": "Europe/Paris"}}
    assert make(base_url).execute("res.partner", "echo") == [[], {}]


def test_login_happens_once(odoo: Face) -> None:
    """The first call logs in, no later one does; a known uid needs no login at all."""
    odoo.search_count("res.partner")
    odoo.search_count("res.partner")

    assert odoo.execute("res.partner", "called", "login") == 0
    assert odoo.login() == odoo.odoo.uid == 2


def test_a_known_uid_needs_no_login(make: Any, base_url: str, odoo: Face) -> None:
    """With uid and password the first call is the call itself."""
    face = make(base_url, login=None, uid=2)

    assert face.search_count("res.partner") == 23
    assert odoo.execute("res.partner", "called", "login") == 0


def test_a_refused_login_says_so(make: Any, base_url: str) -> None:
    """A wrong password is an error that names login and database, not the password."""
    face = make(base_url, password="wr0ng")

    with pytest.raises(RPCError, match="'admin' is refused in database 'acme'") as caught:
        face.search("res.partner")
    assert "wr0ng" not in f"{caught.value!r} {face.odoo!r}"


def test_an_account_without_a_user_is_refused() -> None:
    """Neither login nor uid is an error when the face is made."""
    with pytest.raises(ValueError, match="login"):
        Odoo("http://localhost", db="acme", password="x")


def test_a_busy_server_is_asked_again(make: Any, base_url: str, odoo: Face) -> None:
    """Calls that read are sent again while a proxy says that its server is busy."""
    odoo.execute("res.partner", "forget_calls")

    assert make(f"{base_url}/busy").version() == "17.0"


def test_a_reading_call_that_met_a_conflict_is_sent_again(odoo: Face) -> None:
    """Two conflicts are within three attempts, three are not."""
    assert odoo.execute("res.partner", "name_get", 2) == 3

    odoo.execute("res.partner", "forget_calls")
    with pytest.raises(RPCError, match="SerializationFailure"):
        odoo.execute("res.partner", "name_get", 3)


def test_a_writing_call_is_sent_once(odoo: Face) -> None:
    """A call that may write is not sent again after the server took it."""
    with pytest.raises(RPCError, match="SerializationFailure"):
        odoo.execute("res.partner", "conflict")

    assert odoo.execute("res.partner", "called", "conflict") == 1


def test_an_unreached_server_is_tried_again(make: Any) -> None:
    """What never left is tried as often as allowed, whatever it is."""
    face = make("http://127.0.0.1:9", uid=2, retries=Retries(3, first_wait_seconds=0.02))

    with pytest.raises(RPCError) as caught:
        face.create("res.partner", {"name": "x"})
    assert caught.value.kind is Kind.UNREACHED


def test_threads_are_bounded(base_url: str) -> None:
    """No more calls than allowed are in flight, however many threads there are."""
    most: list[int] = []
    with Odoo(base_url, max_in_flight=3, **ACCOUNT) as odoo:
        odoo.execute("res.partner", "forget_calls")
        threads = [
            threading.Thread(target=lambda: most.append(odoo.execute("res.partner", "sleep", 0.05)))
            for _ in range(9)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert max(most) == 3


def test_tasks_are_bounded_and_log_in_once(base_url: str) -> None:
    """Many tasks share one login and never exceed the calls allowed in flight."""

    async def work() -> tuple[list[int], int]:
        async with AsyncOdoo(base_url, max_in_flight=4, **ACCOUNT) as odoo:
            most = await asyncio.gather(
                *(odoo.execute("res.partner", "sleep", 0.05) for _ in range(12))
            )
            return most, await odoo.execute("res.partner", "called", "login")

    with Odoo(base_url, **ACCOUNT) as before:
        before.execute("res.partner", "forget_calls")
    most, logins = asyncio.run(work())

    assert (max(most), logins) == (4, 1)


def test_another_http_client_can_be_given(base_url: str) -> None:
    """A face works over a session of the caller's, and leaves it open."""
    with requests.Session() as session:
        with Odoo(base_url, http_client=session, **ACCOUNT) as odoo:
            assert odoo.search("res.partner", [], limit=2, offset=1) == [2, 3]
        assert session.get(base_url).status_code == 404
