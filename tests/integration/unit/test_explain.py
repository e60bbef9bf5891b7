"""What explains a synchronization: which units are chosen and why, and where values come from."""

import inspect

import pytest

from connector.backend import BACKENDS, Backend, get_backend
from connector.connector import Binder, ConnectorEnvironment, ConnectorUnit
from connector.core.addon import declared_in as belongs_to
from connector.exception import (
    IDMissingInBackend,
    ManyConnectorUnitsError,
    MappingError,
    MissingSourceFieldError,
    NoConnectorUnitError,
)
from connector.unit.explain import choices
from connector.unit.mapper import (
    ExportMapper,
    ImportMapper,
    convert,
    m2o_to_backend,
    mapping,
    none,
    only_create,
)
from connector.unit.provenance import export_values, import_values, sources, traced, values_of

MODEL = "toy.partner"


def told(toys, role, model=MODEL):
    """Give the choice of a role, and the reasons of its candidates by class name."""
    with toys.work(model) as connector_env:
        [choice] = [each for each in choices(connector_env) if each.role == role]
    reasons = {each.name.rpartition(".")[2]: each.reason for each in choice.candidates}
    return choice, reasons


def line_of(thing, text):
    """Give the file and line where a class of this file writes something down."""
    lines, start = inspect.getsourcelines(thing)
    [found] = [number for number, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(thing)}:{start + found}"


# -- why a class is chosen -------------------------------------------------------------------


def test_chosen_class_and_those_for_other_models_are_told(toys):
    """
    The class chosen is told with its place, the others with the models they are for.
    """
    choice, reasons = told(toys, "ImportMapper")

    assert choice.unit.__name__ == "PartnerMapper"
    assert reasons["PartnerMapper"] == "chosen"
    assert reasons["CategoryMapper"] == "it is for other models: toy.category"
    assert "conftest.py:" in str(choice)
    assert any(line.startswith("for other models: ") for line in choice.lines())


def test_missing_class_is_told(toys):
    """
    A role without a class says so.
    """
    choice, reasons = told(toys, "RecordExporter")

    assert (choice.unit, reasons) == (None, {})
    assert str(choice) == (
        "RecordExporter: none. No class for 'toy.partner' is registered and installed."
    )


def test_replacing_is_told_for_every_class_of_a_diamond(toys, declared_in):
    """
    A replaced class names those that answer in its place; the last of a diamond is chosen.
    """
    backend = get_backend("toy", "1")
    with declared_in():

        @backend
        class First(ExportMapper):
            _model_name = MODEL

        @backend(replacing=First)
        class Left(First):
            pass

        @backend(replacing=First)
        class Right(First):
            pass

        @backend(replacing=(Left, Right))
        class Last(First):
            pass

    choice, reasons = told(toys, "ExportMapper")

    assert choice.unit is Last
    assert {name.rpartition(".")[2] for name in reasons} == {"First", "Left", "Right", "Last"}
    assert reasons["Last"] == "chosen"
    assert reasons["Left"] == reasons["Right"]
    assert reasons["Left"].startswith("replaced by ")
    assert reasons["Left"].endswith("Last")
    assert reasons["First"].startswith("replaced by ")


def test_replacement_that_does_not_answer_is_told(toys, declared_in):
    """
    A replacement of an addon that is not installed, of another model or kind leaves the original.
    """
    backend = get_backend("toy", "1")
    with declared_in():

        @backend
        class Original(ExportMapper):
            _model_name = MODEL

        @backend(replacing=Original)
        class ForOthers(ExportMapper):
            _model_name = "toy.order"

        @backend(replacing=Original)
        class OtherKind(ConnectorUnit):
            _model_name = MODEL

    with belongs_to("sale"):

        @backend(replacing=Original)
        class OfSale(Original):
            pass

    choice, reasons = told(toys, "ExportMapper")

    assert choice.unit is Original
    assert reasons["Original"].startswith("chosen; its replacement ")
    assert "ForOthers does not answer: it is for other models: toy.order" in reasons["Original"]
    assert "OtherKind does not answer: it is no ExportMapper" in reasons["Original"]
    assert "OfSale does not answer: its addon 'sale' is not installed" in reasons["Original"]
    assert reasons["OfSale"] == "its addon 'sale' is not installed"
    other, _ = told(toys, "OtherKind")
    assert other.unit is OtherKind


def test_class_of_the_parent_is_told_with_what_hides_it(toys, declared_in, monkeypatch):
    """
    A version that has its own class hides its parent's; without one, the parent's is chosen.
    """
    everything = get_backend("toy", "1")
    BACKENDS.backends.clear()
    version = Backend(parent=everything, version="1")
    monkeypatch.setattr(everything, "version", None)
    with declared_in():

        @version
        class OwnMapper(ImportMapper):
            _model_name = MODEL

    choice, reasons = told(toys, "ImportMapper")
    binder, _ = told(toys, "Binder")

    assert choice.unit is OwnMapper
    assert reasons["PartnerMapper"] == "hidden by Backend('toy', '1'), which has its own"
    assert binder.unit.__name__ == "ToyBinder"
    assert binder.candidates[0].backend is everything


def test_several_answers_and_a_class_without_model_are_told(toys, declared_in):
    """
    What makes a look-up fail is told, and fails no explanation.
    """
    backend = get_backend("toy", "1")
    with declared_in():

        @backend
        class Second(Binder):
            _model_name = MODEL

        @backend
        class Nameless(ExportMapper):
            pass

    choice, reasons = told(toys, "Binder")
    exporter, nameless = told(toys, "ExportMapper")

    assert choice.unit is None
    assert "Several Binder for 'toy.partner' on Backend('toy', '1')" in choice.refusal
    assert reasons == {"ToyBinder": "answers as well", "Second": "answers as well"}
    assert exporter.unit is None
    assert "works on no model" in nameless["Nameless"]
    with toys.work(MODEL) as connector_env, pytest.raises(ManyConnectorUnitsError):
        connector_env.get_connector_unit(Binder)


# -- where a value comes from ----------------------------------------------------------------


def by_target(values):
    return {value.target: value for value in values}


def test_every_value_is_told_with_source_function_and_line(toys, shop):
    """
    Direct pairs tell their own line, in the base that writes them; methods and links theirs.
    """
    shop.put("toy.category", 3, name="Books")
    shop.put(MODEL, 1, name="Ada", city="", level=5, category=3)
    toys.run("toy.category", 3)
    with toys.work(MODEL) as connector_env:
        mapper = connector_env.get_connector_unit(ImportMapper)
        found = by_target(import_values(connector_env, 1))
        category = connector_env.env["category"].search([])

    kind = type(mapper)
    shown = {name: (value.value, value.source.function) for name, value in found.items()}
    sync_date = shown.pop("sync_date")
    assert sync_date[1] == "link_values"
    assert shown == {
        "name": ("Ada", "direct"),
        "city": (False, "direct"),
        "level": (5, "direct"),
        "category_id": (category.id, "backend_to_m2o"),
        "friend_id": (False, "backend_to_m2o"),
        "note": ("imported", "note"),
        "external_id": ("1", "link_values"),
        "backend_id": (toys.backend_id, "link_values"),
    }
    assert found["category_id"].source.source == "category"
    assert found["city"].source.place == line_of(kind, '("city", "city")')
    assert found["friend_id"].source.place == line_of(kind, 'backend_to_m2o("friend"')
    assert found["name"].source.place == line_of(kind.__mro__[1], '("name", "name")')
    assert found["note"].source.source == "the record, only for new records"


def test_bound_record_is_mapped_as_an_update(toys, shop):
    """
    What is mapped for new records only is left out of a record that is bound.
    """
    shop.put(MODEL, 1, name="Ada", city="", level=0)
    toys.run(MODEL, 1)
    with toys.work(MODEL) as connector_env:
        found = by_target(import_values(connector_env, "1"))

    assert "note" not in found
    assert found["name"].value == "Ada"


def test_value_that_cannot_be_mapped_stops_no_other(toys, shop):
    """
    An unbound dependency is told in its place, and the other values are mapped.
    """
    shop.put(MODEL, 1, name="Ada", city="", level=0, category=9)
    with toys.work(MODEL) as connector_env:
        partner = by_target(import_values(connector_env, 1))

    assert partner["name"].value == "Ada"
    assert isinstance(partner["category_id"].error, MappingError)
    assert "9 of 'category_id' is not bound in 'toy.category'" in str(partner["category_id"].error)


def test_each_kind_of_failure_is_told_with_its_declaration(toys):
    """
    Fields that the record lacks, a method that fails, lines that are missing: each by itself.
    """

    class OrderMapper(ImportMapper):
        direct = [("name", "name"), (convert("gone", str), "note")]
        children = [("lines", "toy_line_ids", "toy.order.line")]

        @mapping
        def total(self, record):
            return {"total": record["total"]}

    with toys.work("toy.order") as connector_env:
        mapper = traced(OrderMapper(connector_env))
        values = values_of(mapper.map_record({"name": "O4"}))

    failed = [
        (each.target, type(each.error), each.source.function) for each in values if each.error
    ]
    assert by_target(values)["name"].value == "O4"
    assert failed == [
        ("note", MissingSourceFieldError, "convert"),
        ("", KeyError, "total"),
        ("toy_line_ids", MissingSourceFieldError, "children of toy.order.line"),
    ]
    assert values[2].source.place == line_of(OrderMapper, "@mapping")
    assert values[3].source.place == line_of(OrderMapper, "children =")


def test_record_that_is_missing_and_unit_that_is_missing_are_errors(toys):
    """
    A record that the backend does not have, and a model that nothing maps, end the explanation.
    """
    with toys.work(MODEL) as connector_env, pytest.raises(IDMissingInBackend):
        import_values(connector_env, 404)
    with toys.work(MODEL) as connector_env, pytest.raises(NoConnectorUnitError):
        import_values(
            ConnectorEnvironment(connector_env.backend_record, connector_env.session, "partner"), 1
        )


def test_finalize_forced_values_and_nested_modifiers_are_told(toys):
    """
    What `finalize` changes comes from there, what is forced from the importer, and pairs that
    are computed from the line that computes them.
    """

    class Modifier:
        field = "number"

        def __call__(self, mapper, record, to_attr):
            return record["number"]

    class OrderMapper(ImportMapper):
        direct = [
            (none(convert("number", float)), "name"),
            (Modifier(), "display_name"),
            *[(field, field) for field in ("checksum",)],
        ]

        def finalize(self, map_record, values):
            return {**values, "note": "final"}

    with toys.work("toy.order") as connector_env:
        mapper = traced(OrderMapper(connector_env))
        map_record = mapper.map_record({"number": "1.5", "checksum": "x"})
        map_record.update(sync_date="now")
        values = values_of(map_record)

    told = {each.target: (each.value, each.source.function) for each in values}
    assert told == {
        "name": (1.5, "none(convert)"),
        "display_name": ("1.5", "Modifier"),
        "checksum": ("x", "direct"),
        "note": ("final", "finalize"),
        "sync_date": ("now", "MapRecord.update"),
    }
    assert by_target(values)["name"].source.place == line_of(OrderMapper, "none(convert")
    assert by_target(values)["checksum"].source.place == line_of(OrderMapper, "direct =")
    assert by_target(values)["note"].source.place == line_of(OrderMapper, "def finalize")


def test_mapping_and_its_explanation_agree(toys, shop):
    """
    The explanation gives the very values that the mapper gives, in the order of their making.
    """
    record = shop.put(MODEL, 1, name="Ada", city="Rome", level=5)
    with toys.work(MODEL) as connector_env:
        mapper = connector_env.get_connector_unit(ImportMapper)
        mapped = mapper.map_record(record).values(for_create=True)
        explained = values_of(traced(mapper).map_record(record), for_create=True)

    assert {each.target: each.value for each in explained} == mapped


def test_declarations_are_told_without_a_record(toys):
    """
    Without a record each declaration is told in the order in which it is done.
    """
    with toys.work("toy.order") as connector_env:
        mapper = connector_env.get_connector_unit(ImportMapper)
        told = [(each.target, each.source, each.function) for each in sources(mapper)]

    assert told == [
        ("name", "name", "direct"),
        ("toy_line_ids", "lines", "children of toy.order.line"),
    ]


def test_export_of_a_bound_record_is_told(toys, shop, declared_in):
    """
    A bound record tells what an export would send; one that is not bound has nothing to tell.
    """
    with declared_in():

        @get_backend("toy", "1")
        class PartnerExportMapper(ExportMapper):
            _model_name = MODEL
            direct = [
                ("name", "name"),
                (m2o_to_backend("category_id", binding="toy.category"), "category"),
            ]

            @only_create
            @mapping
            def first(self, record):
                return {"first": True}

    shop.put("toy.category", 3, name="Books")
    shop.put(MODEL, 1, name="Ada", city="", level=0, category=3)
    toys.run(MODEL, 1)
    with toys.work(MODEL) as connector_env:
        found = by_target(export_values(connector_env, 1))
        assert export_values(connector_env, 2) == []

    assert {name: value.value for name, value in found.items()} == {"name": "Ada", "category": "3"}
    assert found["category"].source.function == "m2o_to_backend"
    assert found["category"].source.place == line_of(PartnerExportMapper, "m2o_to_backend(")
