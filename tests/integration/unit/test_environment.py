"""Environments, locks and related actions on real records."""

from functools import partial
from types import SimpleNamespace

import pytest

from connector.backend import get_backend
from connector.connector import Binder, ConnectorEnvironment, ConnectorUnit, get_environment
from connector.core.sql.locks import lock_key
from connector.event import Consumers, on_record_write
from connector.exception import InvalidBindingError, RetryableJobError, UnknownModelError
from connector.related_action import unwrap_binding
from connector.session import ConnectorSession


def test_environment_holds_what_units_share(toys):
    """
    Backend, record, session and model are the units' too, and follow a change of the session.
    """
    with toys.work("toy.partner") as work:
        unit = work.get_connector_unit(Binder)

        assert work.backend is unit.backend is get_backend("toy", "1")
        assert work.backend_record == unit.backend_record == work.env["toy.backend"].search([])
        assert work.session is unit.session
        assert unit.connector_env is work
        assert work.model == unit.model == work.env["toy.partner"]
        assert work.pool is work.session.pool is work.env.registry
        with work.session.change_context(lang="sv_SE"):
            assert unit.env.context["lang"] == unit.localcontext["lang"] == "sv_SE"
            assert unit.model.env.context["lang"] == "sv_SE"
        assert "lang" not in unit.env.context
        assert unit.binder_for("toy.category").model._name == "toy.category"
        assert unit.unit_for(Binder, "toy.partner") is not unit


def test_language_of_an_environment_is_applied(toys):
    """
    An environment made with a language works in it, and leaves the session as it was.
    """
    with toys.work("toy.partner") as work:
        swedish = get_environment(work.session, "toy.partner", toys.backend_id, lang="sv_SE")
        of_record = work.backend_record.get_environment("toy.partner", lang="sv_SE")

        for each in (swedish, of_record):
            assert each.env.context["lang"] == each.model.env.context["lang"] == "sv_SE"
            assert each.get_connector_unit(Binder).env.context["lang"] == "sv_SE"
        assert "lang" not in work.session.context


def test_environment_of_10_has_no_session(toys):
    """
    A record and a model's name are enough: the session is the one of the record.
    """
    with toys.work("toy.partner") as work:
        record = work.backend_record.with_context(special=1)
        made = ConnectorEnvironment(record, "toy.partner")

        assert made.model == work.model
        assert made.session.context == {"special": 1}


def test_refused_lock_lets_the_job_come_back(toys):
    """
    A lock held by another transaction is a retry in the seconds given, which is not counted.
    """
    with toys.work("toy.partner") as first, toys.work("toy.partner") as second:
        one, two = (each.get_connector_unit(Binder) for each in (first, second))
        one.advisory_lock_or_retry("import_record(toy, 7)")
        one.advisory_lock_or_retry("import_record(toy, 7)")
        with pytest.raises(RetryableJobError, match="Could not acquire advisory lock") as caught:
            two.advisory_lock_or_retry("import_record(toy, 7)", retry_seconds=3)
        assert (caught.value.seconds, caught.value.ignore_retry) == (3, True)
        with pytest.raises(RetryableJobError) as caught:
            two.advisory_lock_or_retry("import_record(toy, 7)")
        assert caught.value.seconds == 1
        first.session.commit()
        two.advisory_lock_or_retry("import_record(toy, 7)")


def test_key_of_a_lock_is_that_of_8():
    """
    The first eight bytes of the SHA-1 of the name, as a signed number: old and new exclude another.
    """
    assert lock_key("abc") == int.from_bytes(bytes.fromhex("a9993e364706816a"), "big", signed=True)
    assert lock_key("abc") < 0


def test_binding_tells_consumers_not_to_export(toys, shop, monkeypatch):
    """
    The write of `bind` carries `connector_no_export`, and only it.
    """
    shop.put("toy.category", 5, name="Books")
    toys.run("toy.category", 5)
    seen = []
    monkeypatch.setattr(on_record_write, "_consumers", {None: Consumers()})
    with toys.work("toy.category") as work:
        binder = work.get_connector_unit(Binder)

        def consumer(session, model_name, record_id, vals):
            seen.append((model_name, sorted(vals), session.context.get("connector_no_export")))

        consumer.__module__ = "connector.here"
        on_record_write.subscribe(consumer, model_names="toy.category")
        binder.bind(6, binder.to_openerp(5))

        assert seen == [("toy.category", ["external_id", "sync_date"], True)]
        assert "connector_no_export" not in binder.to_openerp(6).env.context


def test_related_action_opens_what_a_job_works_on(toys, shop, declared_in):
    """
    The record behind the binding, by the position of its id and the binder asked for; the binding
    where it binds no other model; nothing where it is gone.
    """
    with declared_in():

        class OtherBinder(Binder):
            _model_name = "toy.partner"

            def unwrap_model(self):
                raise ValueError("binds nothing")

        get_backend("toy", "1")(OtherBinder)

    shop.put("toy.category", 5, name="Books")
    toys.run("toy.category", 5)
    shop.put("toy.partner", 1, name="Ann", city="", level=0)
    with toys.work("toy.category") as work:
        binding = work.env["toy.category"].search([])
        session = ConnectorSession.from_env(work.env)
        action = {
            "name": "Related Record",
            "type": "ir.actions.act_window",
            "view_type": "form",
            "view_mode": "form",
        }
        record = {**action, "res_model": "category", "res_id": binding.openerp_id.id}

        assert unwrap_binding(session, SimpleNamespace(args=("toy.category", binding.id))) == record
        third = SimpleNamespace(args=("toy.category", "more", binding.id))
        assert unwrap_binding(session, third, id_pos=3) == record
        partner = work.env["toy.partner"].create(
            {"name": "Bo", "backend_id": toys.backend_id, "external_id": "9"}
        )
        own = partial(unwrap_binding, binder_class=OtherBinder)
        shown = own(session, SimpleNamespace(args=("toy.partner", partner.id)))
        assert shown == {**action, "res_model": "toy.partner", "res_id": partner.id}
        gone = SimpleNamespace(args=("toy.category", binding.id + 100))
        assert unwrap_binding(session, gone) is None


def test_unit_made_by_hand_works(toys):
    """
    A unit made by hand works as any other; an environment without a model's name is refused.
    """
    with toys.work("toy.partner") as work:
        for wrong in (None, work.model):
            with pytest.raises(UnknownModelError, match="needs the name of a model and is given"):
                ConnectorEnvironment(work.backend_record, work.session, wrong)

        class Plain(ConnectorUnit):
            _model_name = "toy.partner"

        assert Plain(work).binder_for().model == work.model
        with pytest.raises(InvalidBindingError):
            Plain(work).binder_for().to_backend(work.model)
