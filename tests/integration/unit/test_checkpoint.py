"""Checkpoints and related actions: what a person is shown."""

from types import SimpleNamespace

import pytest

from connector.checkpoint import add_checkpoint, add_checkpoint_message
from connector.connector import Binder
from connector.exception import UnknownModelError
from connector.related_action import unwrap_binding


def test_checkpoint_names_record_and_backend(toys):
    """
    A checkpoint asks for the review of a record, or of a message, until somebody has looked.
    """
    with toys.work("toy.partner") as work:
        partner = work.env["partner"].create({"name": "Ann"})
        where = ("toy.backend", toys.backend_id)
        record = add_checkpoint(work.session, "partner", partner.id, *where)
        message = add_checkpoint_message(work.session, *where, "The token ends soon.")
        both = work.backend_record.add_checkpoint("partner", partner.id, "Look.")

        assert (record.model_id.model, record.record_id) == ("partner", partner.id)
        assert record.backend_id == work.backend_record
        assert message.message == "The token ends soon."
        assert (both.record_id, both.message) == (partner.id, "Look.")
        assert {each.state for each in record + message + both} == {"need_review"}
        both.reviewed()
        assert both.state == "reviewed"


def test_checkpoint_for_an_unknown_model_is_refused(toys):
    """
    A checkpoint for a model that does not exist is an error, an AssertionError for old code.
    """
    with toys.work("toy.partner") as work:
        with pytest.raises(UnknownModelError, match="No model 'nothing'") as caught:
            add_checkpoint(work.session, "nothing", 1, "toy.backend", toys.backend_id)
        assert isinstance(caught.value, AssertionError)


def test_job_opens_the_record_behind_its_binding(toys):
    """
    The related action of a job opens the normal record, and nothing once it is gone.
    """
    with toys.work("toy.partner") as work:
        binder = work.get_connector_unit(Binder)
        values = {"name": "Ann", "backend_id": toys.backend_id, "external_id": "7"}
        binding = binder.model.create(values)
        partner = binding.openerp_id
        job = SimpleNamespace(args=("toy.partner", binding.id))

        action = unwrap_binding(work.session, job)
        assert (action["res_model"], action["res_id"]) == ("partner", partner.id)
        partner.unlink()
        assert unwrap_binding(work.session, job) is None
