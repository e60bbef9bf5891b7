"""Checkpoints and related actions: what a person is shown."""

from types import SimpleNamespace

import pytest

from connector.backend import get_backend
from connector.checkpoint import add_checkpoint, add_checkpoint_message
from connector.connector import Binder
from connector.core.exceptions import AccessError, ValidationError
from connector.exception import IDMissingInBackend, UnknownModelError
from connector.related_action import unwrap_binding
from connector.unit.image import ImageImporter
from connector.unit.importer import AddCheckpoint, RecordImporter


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


def test_checkpoint_is_found_by_the_name_of_its_record(toys):
    """
    A checkpoint is named as its record, found by that name, and reviewed with others at once.
    """
    with toys.work("toy.partner") as work:
        partners = [work.env["partner"].create({"name": name}) for name in ("Ann", "Bo")]
        points = [work.backend_record.add_checkpoint("partner", partner.id) for partner in partners]
        checkpoint = work.env["connector.checkpoint"]
        assert [(point.name, point.record) for point in points] == [
            ("Ann", partners[0]),
            ("Bo", partners[1]),
        ]
        assert checkpoint.search([("name", "=", "Bo")]) == points[1]
        waiting = checkpoint.search(checkpoint._needaction_domain_get())
        wizard = work.env["connector.checkpoint.review"].with_context(active_ids=waiting.ids)
        wizard.create({}).review()
        assert not checkpoint.search(checkpoint._needaction_domain_get())
        partners[0].unlink()
    with toys.work("toy.partner") as work:
        assert not work.env["connector.checkpoint"].browse(points[0].id).record


def test_connector_managers_follow_every_checkpoint(toys):
    """
    The users of the group Connector Manager follow a checkpoint, read why it is there, review it.
    """
    with toys.work("toy.partner") as work:
        users = work.env["res.users"]
        group = work.env.ref("connector.group_connector_manager")
        manager = users.create({"name": "Mia", "login": "mia", "groups_id": [(4, group.id)]})
        users.create({"name": "Nils", "login": "nils"})
        partner = work.env["partner"].create({"name": "Ann"})

        plain = work.backend_record.add_checkpoint("partner", partner.id)
        told = work.backend_record.add_checkpoint("partner", partner.id, "Two are called Ann.")

        assert plain.message_follower_ids == manager + work.env.user
        assert plain.message_ids.body == "A partner needs review. Backend: Toys."
        assert told.message_ids.body == "Two are called Ann."
        assert told.message_ids.subtype == "connector.mt_checkpoint_created"
        told.sudo(manager.id).reviewed()
        assert told.state == "reviewed"
        plain.sudo(manager.id).unlink()
        assert work.env["connector.message"].search([]) == told.message_ids
        assert work.env["queue.job"].sudo(manager.id).search([]).ids == []
        with pytest.raises(AccessError):
            work.env["queue.job"].sudo(manager.id).create({"state": "pending"})


def test_only_managers_see_checkpoints(toys):
    """
    A user outside the group may not read checkpoints.
    """
    with toys.work("toy.partner") as work:
        user = work.env["res.users"].create({"name": "Nils", "login": "nils"})
        point = work.backend_record.add_checkpoint(message="Look.")
        with pytest.raises(AccessError):
            point.sudo(user.id).read(["message"])


def test_checkpoint_needs_a_record_or_a_message(toys):
    """
    The database refuses a checkpoint that names no record and says nothing.
    """
    with (
        pytest.raises(ValidationError, match="names a record or says a message"),
        toys.work("toy.partner") as work,
    ):
        work.backend_record.add_checkpoint()


def test_new_records_are_put_before_a_person(toys, shop, declared_in, monkeypatch):
    """
    An importer with `_checkpoint_new` adds a checkpoint for a record it creates, never later.
    """
    with declared_in():

        @get_backend("toy", "1")
        class Look(AddCheckpoint):
            _model_name = "toy.category"

    monkeypatch.setattr(RecordImporter, "_checkpoint_new", True)
    shop.put("toy.category", 5, name="Books")
    toys.run("toy.category", 5)
    shop.put("toy.category", 5, name="Records")
    toys.run("toy.category", 5)

    [binding] = toys.values("toy.category", "id")
    assert toys.values("connector.checkpoint", "record_id", "model_id.model") == [
        (*binding, "toy.category")
    ]


def test_first_image_that_is_there_is_written(toys, shop, declared_in):
    """
    Images are tried in their order; one that is gone is passed over, an error is not.
    """
    images = {"front": b"jpeg", "back": b"other"}

    with declared_in():

        @get_backend("toy", "1")
        class ToyImages(ImageImporter):
            _model_name = "toy.partner"
            _image_field = "note"

            def images(self, external_id):
                return [("back", 3), ("gone", 1), ("front", 2)]

            def sort_key(self, image):
                return image[1]

            def read_image(self, image):
                if image[0] not in images:
                    raise IDMissingInBackend("gone")
                return images[image[0]]

    shop.put("toy.partner", 1, name="Ann")
    toys.run("toy.partner", 1)
    with toys.work("toy.partner") as work:
        binding = work.get_connector_unit(Binder).to_openerp(1)
        ToyImages(work).run(1, binding.with_env(work.env))
        assert binding.note in ("anBlZw==", b"anBlZw==")
        images.clear()
        assert not ToyImages(work).run(1, binding)


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
