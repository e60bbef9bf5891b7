"""Dry runs: what they tell is what the run then does, and they do nothing themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connector.cli import source
from connector.exception import DryRunError, RateLimitError
from connector.session import ConnectorSessionHandler
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.batch import import_record
from connector.unit.dry_run import BOOKKEEPING
from connector.unit.importer import RecordImporter

PARTNER, CATEGORY, ORDER, LINE = "toy.partner", "toy.category", "toy.order", "toy.order.line"
MODELS = (PARTNER, CATEGORY, ORDER, LINE)
TABLES = (
    *("toy_partner", "toy_category", "toy_order", "toy_order_line", "partner", "category"),
    *('"order"', "order_line", "queue_job", "connector_import_cursor", "connector_checkpoint"),
)

ids = st.integers(0, 7)
partners = st.fixed_dictionaries(
    {
        # Without a name it cannot be imported; "skip me" is left by its importer.
        "name": st.sampled_from(["Ann", "Bob", "Cid", "", "skip me"]),
        "city": st.sampled_from(["Oslo", None]),
        "level": st.sampled_from([0, 1, -1]),
        "category": st.sampled_from([None, 1, 2, 404]),
        "friend": st.none() | ids,
        "updated_at": st.sampled_from(["2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z"]),
    }
)
orders = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["SO1", "SO2"]),
        "lines": st.lists(
            st.fixed_dictionaries({"id": st.integers(1, 4), "text": st.sampled_from("ab")}),
            unique_by=lambda line: line["id"],
            max_size=3,
        ),
    }
)
# What the shop has, in one or several rounds: each is looked at, then imported.
rounds = st.lists(
    st.tuples(
        st.dictionaries(ids, partners, max_size=6),
        st.dictionaries(st.integers(1, 3), orders, max_size=2),
        st.sampled_from(["--full", "--since", "--ids"]),
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture
def of(toys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy shop's records of a model, as the command line imports them."""
    handler = ConnectorSessionHandler(toys.database.name, 1)
    monkeypatch.setattr(source, "database_session", lambda: handler)
    return lambda model_name: source.Source("Toys", model_name)


def dump(toys: Any) -> dict[str, Any]:
    """Every row of every table that an import writes."""
    with toys.database.cursor() as cr:
        rows = {}
        for table in TABLES:
            cr.execute(f"SELECT to_jsonb(row) FROM {table} AS row ORDER BY row.id")
            rows[table] = cr.fetchall()
    return rows


def values(toys: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """What is stored of each bound record, its lines told as their own."""
    stored: dict[tuple[str, str], dict[str, Any]] = {}
    with toys.database.env() as env:
        for model in MODELS:
            for record in env[model].with_context(active_test=False).search([]):
                stored[model, record.external_id] = {
                    name: (record[name].id, record[name].display_name)
                    if field.type == "many2one"
                    else (record[name], record[name])
                    for name, field in record._fields.items()
                    if name not in BOOKKEEPING and field.type != "one2many"
                }
    return stored


def as_told(name: str, value: Any) -> Any:
    """A line that is not the one it was is new, and has no name: its id is not foretold."""
    is_new = name == "openerp_id" and str(value).startswith("order.line,")
    return "new order.line" if is_new else value


def check_a_round(toys: Any, of: Any, model: str, wanted: list[str] | None, since: bool) -> None:
    """Look, import, and compare what was told with what is stored before and afterwards."""
    before, rows = values(toys), dump(toys)
    told = {
        (each.model, each.external_id): each for each in of(model).predictions(wanted, since, None)
    }
    assert dump(toys) == rows, "the dry run has written"

    results = list(of(model).results(wanted, since, None))

    after = values(toys)
    failed = {(model, key) for result in results for key in result.get("poisoned", {})}
    assert {key for key, each in told.items() if each.outcome == "failed"} == failed
    for key in before.keys() | after.keys():
        was, has = before.get(key), after.get(key)
        outcome = told[key].outcome if key in told else "untouched"
        if has is None:
            assert outcome == "removed"
            continue
        diff = {
            name: (None if was is None else was[name][1], as_told(name, label))
            for name, (value, label) in has.items()
            if (was is None and value not in (False, "", 0)) or (was and was[name][0] != value)
        }
        assert (told[key].diff if key in told else {}) == diff, (key, outcome)
        if was is None:
            assert outcome == "created"
        elif diff:
            # A line that its order has lost before another one has it is made for that one.
            assert outcome == "updated" or (key[0], outcome) == (LINE, "created")


@settings(
    max_examples=10,
    deadline=None,
    # Each example costs statements: it is told as it was found.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=rounds)
def test_dry_run_tells_what_the_run_then_does(toys: Any, shop: Any, of: Any, rounds: Any) -> None:
    """
    Record by record and field by field, for all options; lines, dependencies and errors included.
    """
    with toys.database.cursor() as cr:
        cr.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    shop.records.clear()
    for number in (1, 2):
        shop.put(CATEGORY, number, name=f"Category {number}")
    for some_partners, some_orders, option in rounds:
        for number, record in some_partners.items():
            shop.put(PARTNER, number, **record)
        for number, record in some_orders.items():
            shop.put(ORDER, number, **record)
        for model, external_ids in ((PARTNER, [*some_partners, 99]), (ORDER, some_orders)):
            wanted = [*map(str, external_ids)] if option == "--ids" else None
            check_a_round(toys, of, model, wanted, since=option == "--since")


def test_sweep_is_told_before_it_marks(toys: Any, shop: Any, of: Any) -> None:
    """
    With the sweep, a dry run tells what would be marked as missing, and marks nothing.
    """
    for number in range(3):
        shop.put(PARTNER, number, name=f"P{number}")
    list(of(PARTNER).results(None, False, None))
    del shop.records[PARTNER]["1"]
    rows = dump(toys)

    told = list(of(PARTNER).predictions(None, False, 0.5))
    assert [each.external_id for each in told if each.outcome == "missing"] == ["1"]
    assert dump(toys) == rows

    *_, last = of(PARTNER).results(None, False, 0.5)
    assert last == {"counts": {PARTNER: {"missing": 1}}}
    shop.put(PARTNER, 1, name="P1")
    [back] = list(of(PARTNER).predictions(["1"], False, None))
    assert (back.outcome, list(back.diff)) == ("updated", ["missing_since"])


def test_pauses_are_waited_for(toys: Any, shop: Any, of: Any, monkeypatch: Any) -> None:
    """
    A backend that asks for pauses is waited for, and tells the same in the end.
    """
    with toys.work(PARTNER) as connector_env:
        adapter_class = type(connector_env.get_connector_unit(CRUDAdapter))
    read, asked = adapter_class.read, iter(range(1000))

    def refuses_every_other(self: Any, external_id: Any) -> Any:
        if next(asked) % 2 == 0:
            raise RateLimitError("slowly", seconds=0.01)
        return read(self, external_id)

    monkeypatch.setattr(adapter_class, "read", refuses_every_other)
    for number in range(2):
        shop.put(CATEGORY, number, name="C")
        shop.put(PARTNER, number, name="P", category=number)

    for wanted in (None, ["0", "1"]):
        told = list(of(PARTNER).predictions(wanted, False, None))
        assert [each.outcome for each in told] == ["created"] * 4
    assert next(asked) == 2 * 2 + 2 * 4


def test_hook_that_writes_to_the_backend_or_commits_does_neither(
    toys: Any, shop: Any, of: Any, monkeypatch: Any
) -> None:
    """
    A commit asked for by a hook commits nothing, and a write to the backend is refused by name.
    """
    shop.put(PARTNER, 1, name="Ann")

    def commits(self: Any, binding: Any) -> None:
        binding.write({"note": "written by the hook"})
        self.session.commit()
        import_record.delay(self.session, PARTNER, toys.backend_id, 1)
        if self.session.context.get("connector_dry_run"):
            raise DryRunError("A hook would write.")

    monkeypatch.setattr(RecordImporter, "after_import", commits)
    rows = dump(toys)

    [told] = of(PARTNER).predictions(None, False, None)

    assert (told.outcome, told.reason) == ("failed", "DryRunError: A hook would write.")
    assert dump(toys) == rows
