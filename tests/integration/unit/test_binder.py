"""The binder, in every case of wrap and unwrap."""

import pytest

from connector.backend import get_backend
from connector.connector import Binder, get_environment
from connector.core import fields, models
from connector.exception import (
    InvalidBindingError,
    InvalidExternalIdError,
    ManyBindingsError,
    UnknownModelError,
)
from connector.unit.mapper import ExportMapper, ImportMapper, external_to_m2o, m2o_to_external


@pytest.fixture
def binder(toys):
    """The binder of partners, in a transaction of its own."""
    with toys.work("toy.partner") as connector_env:
        yield connector_env.get_connector_unit(Binder)


def make(binder, external_id="7", **values):
    return binder.model.create(
        {
            "name": "Ann",
            "backend_id": binder.backend_record.id,
            "external_id": external_id,
            **values,
        }
    )


@pytest.mark.parametrize("asked", [7, "7"])
def test_binding_is_found_by_external_id(binder, asked):
    """
    An external id gives its binding, and with unwrap the record behind it.
    """
    binding = make(binder)

    assert binder.to_openerp(asked) == binder.to_internal(asked) == binding
    assert binder.to_openerp(asked, unwrap=True) == binding.openerp_id


@pytest.mark.parametrize("asked", [8, None, False, ""])
def test_without_a_binding_the_recordset_is_empty(binder, asked):
    """
    What is not bound gives an empty recordset of the model it would have.
    """
    make(binder)

    assert not binder.to_openerp(asked)
    assert binder.to_openerp(asked)._name == "toy.partner"
    assert binder.to_openerp(asked, unwrap=True)._name == "partner"
    assert not binder.to_openerp(asked, unwrap=True)


def test_zero_is_an_external_id(binder):
    """
    The external id 0 is bound and found.
    """
    binding = make(binder, external_id="x")
    binder.bind(0, binding)

    assert binder.to_openerp(0) == binding
    assert binder.to_backend(binding) == "0"


def test_archived_records_are_found_and_context_stays_clean(binder):
    """
    Archived records are found, and what is found keeps the caller's context.
    """
    binding = make(binder, active=False)

    found = binder.to_openerp("7")

    assert found == binding
    assert "active_test" not in found.env.context
    assert binder.to_backend(binding.openerp_id.id, wrap=True) == "7"


def test_external_id_is_found_for_binding_and_record(binder):
    """
    The external id of a binding, or of a record through its binding, by id or recordset.
    """
    binding = make(binder)
    lonely = binder.env["partner"].create({"name": "Bob"})

    assert binder.to_backend(binding.id) == binder.to_external(binding) == "7"
    assert binder.to_backend(binding.openerp_id.id, wrap=True) == "7"
    assert binder.to_backend(binding.openerp_id, wrap=True) == "7"
    assert binder.to_backend(lonely, wrap=True) is None


def test_bind_links_and_stamps(binder):
    """
    Binding stores the id as text and the time; other arguments are refused.
    """
    binding = make(binder, external_id="x")
    assert not binding.sync_date

    binder.bind(9, binding.id)

    assert binding.external_id == "9"
    assert binding.sync_date
    with pytest.raises(InvalidBindingError):
        binder.bind(9, binder.model.browse())
    for wrong in (None, False, ""):
        with pytest.raises(InvalidExternalIdError):
            binder.bind(wrong, binding)


def test_binding_is_unwrapped(binder):
    """
    A binding gives the record behind it, and the binder the model of such records.
    """
    binding = make(binder)

    assert binder.unwrap_binding(binding) == binding.openerp_id.id
    assert binder.unwrap_binding(binding.id, browse=True) == binding.openerp_id
    assert binder.unwrap_model() == "partner"


def test_many_ids_are_prefetched_in_one_statement(binder):
    """
    Prefetched ids, known or not, need no further statement until they are forgotten.
    """
    bindings = [make(binder, external_id=str(number)) for number in range(3)]
    binder.env.cr.transaction.flush()
    binder.env.invalidate_all()
    cr = binder.env.cr

    before = cr.statement_count
    binder.prefetch([0, 1, 2, 3, "4"])
    assert cr.statement_count == before + 1
    assert [binder.to_openerp(number) for number in range(3)] == bindings
    assert not binder.to_openerp(3)
    assert cr.statement_count == before + 1

    binder.forget(3)
    assert not binder.to_openerp(3)
    assert cr.statement_count == before + 2


def test_several_bindings_of_one_id_are_an_error(toys, shop, declared_in):
    """
    Where nothing keeps an id from being bound twice, the look-up names both bindings.
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
    with toys.work("toy.loose") as connector_env:
        binder = connector_env.get_connector_unit(Binder)
        values = {"backend_id": toys.backend_id, "external_id": "7"}
        one, two = (binder.model.create(dict(values)) for _ in range(2))

        with pytest.raises(
            ManyBindingsError, match=rf"2 records of 'toy.loose'.*{one.id}.*{two.id}"
        ):
            binder.to_openerp(7)
        with pytest.raises(UnknownModelError, match="no field 'openerp_id'"):
            binder.unwrap_model()
        with pytest.raises(UnknownModelError, match="no many2one `backend_id`"):
            get_environment(connector_env.session, "res.partner", toys.backend_id)
        with pytest.raises(UnknownModelError, match="No model 'toy.nothing'"):
            get_environment(connector_env.session, "toy.nothing", toys.backend_id)


def test_names_of_10_bind_and_map(toys, shop, declared_in):
    """
    A binding of 10.0, with `odoo_id`, is wrapped and unwrapped, and linked by mappers both ways.
    """
    with declared_in():

        class Country(models.Model):
            _name = "country"

            name = fields.Char()

        class ToyCountry(models.Model):
            _name = "toy.country"
            _inherit = "toy.binding"
            _inherits = {"country": "odoo_id"}

            odoo_id = fields.Many2one("country", required=True, ondelete="cascade")

        class Town(models.Model):
            _name = "town"

            country_id = fields.Many2one("country")
            toy_country_id = fields.Many2one("toy.country")

        backend = get_backend("toy", "1")

        @backend
        class CountryBinder(Binder):
            _model_name = "toy.country"
            _odoo_field = "odoo_id"

    class TownMapper(ImportMapper):
        direct = [
            (external_to_m2o("country", binding="toy.country"), "country_id"),
            ("toy_country", "toy_country_id"),
        ]

    class TownExportMapper(ExportMapper):
        direct = [
            (m2o_to_external("country_id", binding="toy.country"), "country"),
            ("toy_country_id", "toy_country"),
        ]

    toys.database.update("connector")
    with toys.work("toy.country") as work:
        binder = work.get_connector_unit(Binder)
        binding = make(binder, external_id="0")
        assert binder.to_internal(0) == binding
        assert binder.to_internal("0", unwrap=True) == binding.odoo_id
        assert binder.to_internal(1, unwrap=True)._name == "country"
        assert binder.to_external(binding) == binder.to_external(binding.id) == "0"
        assert binder.to_external(binding.odoo_id, wrap=True) == "0"
        assert binder.unwrap_binding(binding, browse=True) == binding.odoo_id
        assert binder.unwrap_model() == "country"
        towns = get_environment(work.session, "toy.country", toys.backend_id)
        towns.model_name = "town"
        imported = TownMapper(towns).map_record({"country": 0, "toy_country": "0"}).values()
        town = work.env["town"].create(imported)
        assert (town.country_id, town.toy_country_id) == (binding.odoo_id, binding)
        exported = TownExportMapper(towns).map_record(town).values()
        assert exported == {"country": "0", "toy_country": "0"}
