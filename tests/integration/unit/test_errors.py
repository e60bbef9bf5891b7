"""Each mistake says what was sought, where, what there is, and what to do."""

from itertools import product

import pytest

from connector.backend import BACKENDS, Backend, get_backend
from connector.connector import Binder, ConnectorUnit, external_key
from connector.core import fields, models
from connector.core.exceptions import ValidationError
from connector.exception import (
    BackendError,
    InvalidBindingError,
    InvalidExternalIdError,
    ManyBindingsError,
    ManyConnectorUnitsError,
    MappingError,
    MappingResultError,
    NoBackendError,
    NoConnectorUnitError,
    UnknownModelError,
    UnknownUnitError,
)
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ExportMapper, ImportMapper, backend_to_m2o, mapping

MODEL = "toy.partner"


def says(caught, *parts):
    """Each part stands in the message, in this order."""
    message, place = str(caught.value), 0
    for part in parts:
        assert part in message[place:], f"{part!r} is not said in {message!r}"
        place = message.index(part, place) + len(part)


# -- units -----------------------------------------------------------------------------------


def test_no_unit(toys):
    """
    A unit that nobody registered: its kind, the model, the backend, what is near, the decorator.
    """
    with toys.work("toy.order.line") as work, pytest.raises(NoConnectorUnitError) as caught:
        work.get_connector_unit(RecordImporter)
    says(
        caught,
        "No RecordImporter for 'toy.order.line' on Backend('toy', '1')",
        "registered: ",
        "PlainImporter (on Backend('toy', '1'), for other models)",
        "Register one with @toy, or import its module.",
    )


def test_two_units(toys, declared_in):
    """
    Two units for one question: the question, both classes, and the two ways out.
    """
    with declared_in():
        backend = get_backend("toy", "1")

        @backend
        class OtherMapper(ImportMapper):
            _model_name = MODEL

    with toys.work(MODEL) as work, pytest.raises(ManyConnectorUnitsError) as caught:
        work.get_connector_unit(ImportMapper)
    says(
        caught,
        "Several ImportMapper for 'toy.partner' on Backend('toy', '1')",
        "PartnerMapper",
        "OtherMapper",
        "@backend(replacing=...), or ask for the precise class",
    )


def test_replacing_what_is_not_registered(toys):
    """
    `replacing` an unknown class: both classes, the backend, what is registered there.
    """
    backend = get_backend("toy", "1")

    class Unknown(ExportMapper):
        _model_name = MODEL

    class New(ExportMapper):
        _model_name = MODEL

    for replaced, shown in ((Unknown, "Unknown"), ("ToyBinder", "'ToyBinder'")):
        with pytest.raises(UnknownUnitError) as caught:
            backend.register_class(New, replacing=replaced)
        says(
            caught,
            "New replaces ",
            f"{shown}, which is not registered on Backend('toy', '1') (registered there: ",
            "ToyBinder",
            "Register it there first",
        )
    with pytest.raises(BackendError, match="it is no ConnectorUnit"):
        backend.register_class(dict)
    assert New not in backend._entries


# -- backends --------------------------------------------------------------------------------


def test_backend_without_type(toys, declared_in):
    """
    A backend model without `_backend_type` names itself and the attribute.
    """
    with declared_in():

        class Plain(models.Model):
            _name = "plain.backend"
            _inherit = "connector.backend"

            version = fields.Selection([("1", "1")])

    toys.database.update("connector")
    with toys.work(MODEL) as work, pytest.raises(BackendError) as caught:
        work.env["plain.backend"].create({"name": "Plain", "version": "1"}).get_backend()
    says(caught, "'plain.backend' has no _backend_type", "Set it to the service of its Backend")
    with pytest.raises(BackendError, match="needs a service, or a parent"):
        Backend(version="1")


def test_backend_without_version(toys, monkeypatch):
    """
    A record whose version has no `Backend`: the record, service and version, those registered.
    """
    with toys.work(MODEL) as work:
        record = work.backend_record
        monkeypatch.setattr(BACKENDS, "backends", {Backend("toy", "2"), Backend("other")})
        with pytest.raises(NoBackendError) as caught:
            record.get_backend()
        says(
            caught,
            f"'Toys' (toy.backend {record.id}): No backend of service 'toy' and version '1'",
            "<Backend 'other'>, <Backend 'toy', '2'>",
            "Create it with Backend('toy', version='1'), or import the module that does.",
        )
        with pytest.raises(ValidationError):
            record.version = False
            work.env.cr.transaction.flush()
        work.session.rollback()


def test_record_without_a_version_is_told_to_have_one(toys, declared_in):
    """
    Where a backend's version is no required field, an empty one is named.
    """
    with declared_in():

        class Loose(models.Model):
            _name = "loose.backend"
            _inherit = "connector.backend"
            _backend_type = "toy"

            version = fields.Selection([("1", "1")], required=False)

    toys.database.update("connector")
    with toys.work(MODEL) as work, pytest.raises(NoBackendError) as caught:
        work.env["loose.backend"].create({"name": "Loose"}).get_backend()
    says(caught, "'Loose' (loose.backend ", "version None", "'toy', '1'", "has no version: set one")


# -- mappings --------------------------------------------------------------------------------


def test_mapping_that_returns_no_dict(toys):
    """
    A mapping method that returns something else: class and method, what it returns, what to do.
    """

    class Wrong(ImportMapper):
        @mapping
        def tags(self, record):
            return [("tag", 1)]

    with toys.work(MODEL) as work, pytest.raises(MappingResultError) as caught:
        Wrong(work).map_record({}).values()
    says(caught, "Wrong.tags returns list, not a dict", "Return the mapped values by target field")


def test_missing_dependency(toys, shop):
    """
    A dependency that the backend does not have: its id, field, model and backend, what to do.
    """
    shop.put(MODEL, 1, name="Ann", city="", level=0, category=9)

    with pytest.raises(MappingError) as caught:
        toys.run(MODEL, 1)
    says(
        caught,
        "The external id 9 of 'category_id' is not bound in 'toy.category'",
        "on toy.backend(",
        "Import it before the record that needs it",
    )
    assert toys.values(MODEL, "id") == []


# -- external ids ----------------------------------------------------------------------------


@pytest.mark.parametrize("external_id", [0, "0", "a-b"])
def test_zero_and_text_are_ids(toys, shop, external_id):
    """
    Zero, as number or text, is imported, found under both, mapped and exported as any other id.
    """
    shop.put("toy.category", external_id, name="Books")
    shop.put(MODEL, 1, name="Ann", city="", level=0, category=external_id)
    toys.run("toy.category", external_id)
    toys.run(MODEL, 1)

    with toys.work("toy.category") as work:
        binder = work.get_connector_unit(Binder)
        binding = binder.to_openerp(str(external_id))
        assert binding.external_id == str(external_id)
        assert binder.to_openerp(external_id) == binding
        assert binder.to_backend(binding) == str(external_id)
        assert binder.to_backend(binding.openerp_id, wrap=True) == str(external_id)
        assert work.env["partner"].search([]).category_id == binding.openerp_id


def test_nothing_is_no_id(toys, shop):
    """
    None, False and "" are bound to nothing, cannot be bound or imported, and map to no record.
    """
    shop.put("toy.category", 5, name="Books")
    toys.run("toy.category", 5)
    for number, nothing in enumerate((None, False, "")):
        shop.put(MODEL, number, name="Ann", city="", level=0, category=nothing)
        toys.run(MODEL, number)
        with pytest.raises(InvalidExternalIdError):
            toys.run("toy.category", nothing)
        with toys.work("toy.category") as work:
            binder = work.get_connector_unit(Binder)
            binding = binder.to_openerp(5)
            assert not binder.to_openerp(nothing)
            with pytest.raises(InvalidExternalIdError) as caught:
                binder.bind(nothing, binding)
            says(caught, f"{nothing!r} is no external id", "a number or a text that is not empty")
            assert binding.external_id == "5"
    assert toys.values("partner", "category_id.id") == [(False,)] * 3


def test_external_id_of_a_wrong_type(toys):
    """
    A truth value, a float, bytes or a container is no id, wherever it comes from.
    """
    with toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        refusals = (external_key, binder.to_openerp, lambda each: binder.bind(each, 1))
        for wrong, refuse in product((True, 1.5, b"7", [7], {"id": 7}), refusals):
            with pytest.raises(InvalidExternalIdError) as caught:
                refuse(wrong)
            says(caught, f"{wrong!r} is no external id", "zero is one")


def test_unbound_ids(toys):
    """
    An id that is bound to nothing: the empty recordset, and an error where one is needed.
    """
    with toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        assert not binder.to_openerp(7)
        assert not binder.to_openerp(7, unwrap=True)
        lonely = work.env["partner"].create({"name": "Bo"})
        assert binder.to_backend(lonely.id, wrap=True) is None

        class Links(ImportMapper):
            direct = [(backend_to_m2o("category", binding="toy.category"), "category_id")]

        with pytest.raises(MappingError, match="'0' of 'category_id' is not bound"):
            Links(work).map_record({"category": "0"}).values()


def test_what_is_no_binding(toys):
    """
    What is neither an id nor a record names itself, the model and the backend.
    """
    with toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        asks = (binder.to_backend, binder.unwrap_binding, lambda each: binder.bind(7, each))
        for given, ask in product((None, False, True, 0, -1, "7", 1.0), asks):
            with pytest.raises(InvalidBindingError) as caught:
                ask(given)
            says(
                caught,
                "The binder of 'toy.partner' on toy.backend(",
                f"needs one record of 'toy.partner' and is given {given!r}",
                "Give that record, or its id.",
            )


def test_records_of_another_model_and_of_another_number(toys, shop):
    """
    A binder refuses the bound record where it needs the binding, and two where it needs one.
    """
    for number in (1, 2):
        shop.put(MODEL, number, name="Ann", city="", level=0)
        toys.run(MODEL, number)
    with toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        bindings = work.env[MODEL].search([])
        with pytest.raises(InvalidBindingError, match=r"is given partner\("):
            binder.to_backend(bindings[0].openerp_id)
        with pytest.raises(
            InvalidBindingError, match=r"needs one record of 'partner' and is given"
        ):
            binder.to_backend(bindings[0], wrap=True)
        with pytest.raises(InvalidBindingError, match=r"is given toy.partner\(\d, \d\)"):
            binder.unwrap_binding(bindings)
        with pytest.raises(InvalidBindingError, match=r"is given toy.partner\(\)"):
            binder.bind(3, bindings.browse())


def test_two_records_with_one_external_id(toys, shop, declared_in):
    """
    The constraint refuses the second one; where there is none, the look-up names both.
    """
    with declared_in():

        class Loose(models.Model):
            _name = "toy.loose"

            backend_id = fields.Many2one("toy.backend")
            external_id = fields.Char()

        @get_backend("toy", "1")
        class LooseBinder(Binder):
            _model_name = "toy.loose"

    toys.database.update("connector")
    shop.put(MODEL, 1, name="Ann", city="", level=0)
    shop.put(MODEL, 2, name="Bo", city="", level=0)
    toys.run(MODEL, 1)
    toys.run(MODEL, 2)
    with pytest.raises(ValidationError, match=r"Bound once"), toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        binder.bind(1, binder.to_openerp(2))
    assert toys.values(MODEL, "external_id") == [("1",), ("2",)]

    with toys.work("toy.loose") as work:
        binder = work.get_connector_unit(Binder)
        values = {"backend_id": toys.backend_id, "external_id": "0"}
        one, two = (binder.model.create(dict(values)) for _ in range(2))
        with pytest.raises(ManyBindingsError) as caught:
            binder.to_openerp(0)
        says(
            caught,
            "2 records of 'toy.loose' have the external id 0 on toy.backend(",
            str(one.id),
            str(two.id),
            "Keep one, and declare UNIQUE(backend_id, external_id).",
        )
        one.external_id = "1"
        for ask in (lambda: binder.to_openerp(1, unwrap=True), lambda: binder.unwrap_binding(one)):
            with pytest.raises(UnknownModelError) as caught:
                ask()
            says(
                caught, "'toy.loose' has no field 'openerp_id'", "Set _openerp_field on its binder"
            )


def test_one_record_bound_twice(toys, shop):
    """
    A record with two bindings on one backend: the record, both bindings, what to do.
    """
    shop.put(MODEL, 1, name="Ann", city="", level=0)
    toys.run(MODEL, 1)
    with toys.work(MODEL) as work:
        binder = work.get_connector_unit(Binder)
        first = binder.to_openerp(1)
        second = binder.model.create(
            {
                "openerp_id": first.openerp_id.id,
                "backend_id": toys.backend_id,
                "external_id": "2",
            }
        )
        with pytest.raises(ManyBindingsError) as caught:
            binder.to_backend(first.openerp_id, wrap=True)
        says(
            caught, "has 2 bindings of 'toy.partner' on toy.backend(", str(first.id), str(second.id)
        )


def test_unit_without_a_model(toys, declared_in):
    """
    A registered unit that says no model names itself and the attribute.
    """
    with declared_in():

        @get_backend("toy", "1")
        class Nameless(ConnectorUnit):
            pass

    with toys.work(MODEL) as work, pytest.raises(NotImplementedError) as caught:
        work.get_connector_unit(Nameless)
    says(caught, "Nameless works on no model", "Set its _model_name")
