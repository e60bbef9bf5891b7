"""
Every public name of the 8.0 connector is here, where the page on moving a connector says.

What the names do is tested beside their modules; here they are found, and called as of old.
"""

import importlib
import inspect

import pytest

from connector.connector import Binder, ConnectorEnvironment, ConnectorUnit
from connector.unit import mapper

#: Module here -> its names, in the order of the old documentation.
NAMES = {
    "connector.connector": (
        "_get_openerp_module_name _get_addon_name get_openerp_module get_odoo_module"
        " is_module_installed install_in_connector MetaConnectorUnit ConnectorUnit"
        " ConnectorEnvironment Environment Binder pg_try_advisory_lock"
    ),
    "connector.backend": "BackendRegistry BACKENDS get_backend Backend",
    "connector.session": "ConnectorSessionHandler ConnectorSession",
    "connector.event": "Event on_record_create on_record_write on_record_unlink",
    "connector.producer": "",
    "connector.exception": (
        "ConnectorException NoConnectorUnitError InvalidDataError MappingError ChannelNotFound"
        " JobError NoSuchJobError NotReadableJobError FailedJobError NothingToDoJob"
        " IDMissingInBackend ManyIDSInBackend RetryableJobError NetworkRetryableError NoExternalId"
    ),
    "connector.related_action": "unwrap_binding",
    "connector.deprecate": "log_deprecate DeprecatedClass",
    "connector.checkpoint": "add_checkpoint add_checkpoint_message",
    "connector.unit.backend_adapter": "BackendAdapter CRUDAdapter",
    "connector.unit.synchronizer": (
        "Synchronizer Exporter Importer Deleter"
        " ExportSynchronizer ImportSynchronizer DeleteSynchronizer"
    ),
    "connector.unit.mapper": (
        "mapping changed_by only_create MappingDefinition MetaMapper none convert m2o_to_backend"
        " backend_to_m2o follow_m2o_relations m2o_to_external external_to_m2o"
        " Mapper ImportMapper ExportMapper MapRecord MapOptions MapChild ImportMapChild"
        " ExportMapChild"
    ),
    "connector.queue.job": (
        "PENDING ENQUEUED STARTED DONE FAILED STATES DEFAULT_PRIORITY DEFAULT_MAX_RETRIES"
        " RETRY_INTERVAL JOB_REGISTRY job related_action whitelist_unpickle_global JobStorage"
        " OpenERPJobStorage Job identity_exact"
    ),
    "connector.queue.channels": (
        "PriorityQueue SafeSet ChannelJob ChannelQueue Channel ChannelManager"
    ),
    "connector.models.backend": "ConnectorBackend",
    "connector.models.settings": "ConnectorConfigSettings",
    "connector.core": "_ SUPERUSER_ID",
    "connector.core.tools": (
        "_ DEFAULT_SERVER_DATE_FORMAT DEFAULT_SERVER_TIME_FORMAT DEFAULT_SERVER_DATETIME_FORMAT"
    ),
    "connector.core.exceptions": "Warning UserError ValidationError AccessError MissingError",
    "connector.testing": "mock_job_delay_to_direct",
}

#: What is called -> its parameters, those that 8.0 named, in its order.
PARAMETERS = {
    "connector.connector.ConnectorEnvironment": "backend_record session model_name",
    "connector.connector.ConnectorEnvironment.get_connector_unit": "base_class",
    "connector.connector.ConnectorEnvironment.create_environment": (
        "backend_record session model connector_env"
    ),
    "connector.connector.ConnectorUnit": "connector_env",
    "connector.connector.ConnectorUnit.match": "session model",
    "connector.connector.ConnectorUnit.unit_for": "connector_unit_class model",
    "connector.connector.ConnectorUnit.get_connector_unit_for_model": "connector_unit_class model",
    "connector.connector.ConnectorUnit.binder_for": "model",
    "connector.connector.ConnectorUnit.get_binder_for_model": "model",
    "connector.connector.ConnectorUnit.advisory_lock_or_retry": "lock retry_seconds",
    "connector.connector.Binder.to_openerp": "external_id unwrap",
    "connector.connector.Binder.to_internal": "external_id unwrap",
    "connector.connector.Binder.to_backend": "binding_id wrap",
    "connector.connector.Binder.to_external": "binding wrap",
    "connector.connector.Binder.bind": "external_id binding_id",
    "connector.connector.Binder.unwrap_binding": "binding_id browse",
    "connector.connector.Binder.unwrap_model": "",
    "connector.connector.pg_try_advisory_lock": "env lock",
    "connector.connector.is_module_installed": "env module_name",
    "connector.backend.get_backend": "service version",
    "connector.backend.Backend": "service version parent registry",
    "connector.backend.Backend.match": "service version",
    "connector.backend.Backend.register_class": "replacing",
    "connector.backend.Backend.get_class": "base_class session model_name",
    "connector.backend.BackendRegistry.register_backend": "backend",
    "connector.backend.BackendRegistry.get_backend": "service version",
    "connector.session.ConnectorSessionHandler": "db_name uid context",
    "connector.session.ConnectorSession": "cr uid context",
    "connector.session.ConnectorSession.from_env": "env",
    "connector.session.ConnectorSession.change_user": "uid",
    "connector.session.ConnectorSession.search": "model domain limit offset order",
    "connector.session.ConnectorSession.browse": "model ids",
    "connector.session.ConnectorSession.read": "model ids fields",
    "connector.session.ConnectorSession.create": "model values",
    "connector.session.ConnectorSession.write": "model ids values",
    "connector.session.ConnectorSession.unlink": "model ids",
    "connector.session.ConnectorSession.is_module_installed": "module_name",
    "connector.event.Event.subscribe": "consumer model_names replacing",
    "connector.event.Event.unsubscribe": "consumer model_names",
    "connector.event.Event.has_consumer_for": "session model_name",
    "connector.event.Event.fire": "session model_name args kwargs",
    "connector.exception.RetryableJobError": "msg seconds ignore_retry",
    "connector.related_action.unwrap_binding": "session job id_pos binder_class",
    "connector.deprecate.log_deprecate": "message",
    "connector.deprecate.DeprecatedClass": "oldname replacement",
    "connector.checkpoint.add_checkpoint": (
        "session model_name record_id backend_model_name backend_id message"
    ),
    "connector.models.backend.ConnectorBackend.add_checkpoint": "model record_id message",
    "connector.models.checkpoint.ConnectorCheckpoint.create_from_name": (
        "model_name record_id backend_model_name backend_id message"
    ),
    "connector.unit.mapper.none": "field",
    "connector.unit.mapper.convert": "field conv_type",
    "connector.unit.mapper.m2o_to_backend": "field binding",
    "connector.unit.mapper.backend_to_m2o": "field binding",
    "connector.unit.mapper.follow_m2o_relations": "field",
    "connector.unit.mapper.MappingDefinition": "changed_by only_create",
    "connector.unit.mapper.Mapper.map_record": "record parent",
    "connector.unit.mapper.Mapper.finalize": "map_record values",
    "connector.unit.mapper.Mapper._apply": "map_record options",
    "connector.unit.mapper.ImportMapper._map_direct": "record from_attr to_attr",
    "connector.unit.mapper.ExportMapper._map_direct": "record from_attr to_attr",
    "connector.unit.mapper.MapRecord": "mapper source parent",
    "connector.unit.mapper.MapRecord.values": "for_create fields options",
    "connector.unit.mapper.MapRecord.update": "args kwargs",
    "connector.unit.mapper.MapChild.get_items": "items parent to_attr options",
    "connector.unit.mapper.MapChild.get_item_values": "map_record to_attr options",
    "connector.unit.mapper.MapChild.skip_item": "map_record",
    "connector.unit.mapper.MapChild.skip_add_item": "values",
    "connector.unit.mapper.MapChild.format_items": "items_values",
    "connector.unit.backend_adapter.CRUDAdapter.search": "args kwargs",
    "connector.unit.synchronizer.Synchronizer.run": "args kwargs",
}

#: Attributes that a class sets and its subclasses override -> their values.
ATTRIBUTES = {
    "connector.connector.ConnectorUnit._model_name": None,
    "connector.connector.ConnectorEnvironment._propagate_kwargs": [],
    "connector.connector.Binder._external_field": "external_id",
    "connector.connector.Binder._backend_field": "backend_id",
    "connector.connector.Binder._openerp_field": "openerp_id",
    "connector.connector.Binder._sync_date_field": "sync_date",
    "connector.unit.mapper.Mapper.direct": [],
    "connector.unit.mapper.Mapper.children": [],
    "connector.unit.mapper.ImportMapper._map_child_class": mapper.ImportMapChild,
    "connector.unit.mapper.ExportMapper._map_child_class": mapper.ExportMapChild,
    "connector.unit.synchronizer.Synchronizer._base_mapper": mapper.Mapper,
    "connector.unit.synchronizer.Importer._base_mapper": mapper.ImportMapper,
    "connector.unit.synchronizer.Exporter._base_mapper": mapper.ExportMapper,
    "connector.queue.job.DEFAULT_PRIORITY": 10,
    "connector.queue.job.DEFAULT_MAX_RETRIES": 5,
    "connector.queue.job.RETRY_INTERVAL": 600,
    "connector.queue.job.PENDING": "pending",
    "connector.core.tools.DEFAULT_SERVER_DATETIME_FORMAT": "%Y-%m-%d %H:%M:%S",
    "connector.core.SUPERUSER_ID": 1,
}


@pytest.fixture(autouse=True)
def _classes_belong_to_shop():
    """What is imported here belongs to its own addon."""


def found(path):
    """Give the object of a dotted path: a module, and what stands in it."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            thing = inspect.getattr_static(thing, name) if name == "run" else getattr(thing, name)
        return thing
    raise AssertionError(f"nothing of {path} can be imported")


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in NAMES.items() for name in ["", *names.split()]],
)
def test_name_is_where_it_is_said(module, name):
    """
    Each module can be imported, and each name from it.
    """
    assert hasattr(importlib.import_module(module), name or "__doc__")


@pytest.mark.parametrize(("path", "names"), PARAMETERS.items())
def test_parameters_are_named_as_of_old(path, names):
    """
    What is called takes the parameters of 8.0, by position and by name.
    """
    parameters = [
        each for each in inspect.signature(found(path)).parameters if each not in ("self", "cls")
    ]

    assert parameters[: len(names.split())] == names.split()


@pytest.mark.parametrize(("path", "value"), ATTRIBUTES.items())
def test_attribute_has_its_value(path, value):
    """
    Constants, and what classes set for their subclasses, are those of 8.0.
    """
    assert found(path) == value


def test_names_of_10_are_aliases():
    """
    What 10.0 renamed answers to both names.
    """
    assert mapper.m2o_to_external is mapper.m2o_to_backend
    assert mapper.external_to_m2o is mapper.backend_to_m2o

    class Binding(Binder):
        _odoo_field = "odoo_id"

    assert Binding._normal_field.fget(Binding) == "odoo_id"


def test_environment_is_made_with_and_without_a_session(shop, session, connector_env):
    """
    Both forms of making an environment for a model give what the old one propagates.
    """

    class Environment(ConnectorEnvironment):
        _propagate_kwargs = ["client"]

        def __init__(self, backend_record, session, model_name=None, client=None):
            super().__init__(backend_record, session, model_name)
            self.client = client

    record = connector_env.backend_record
    record.env = session.env
    one = Environment(record, session, "shop.partner", client="a client")

    of_8 = Environment.create_environment(record, session, "shop.order", connector_env=one)
    of_10 = Environment.create_environment(record, "shop.order", connector_env=one)

    assert (of_8.model_name, of_8.client, of_8.session) == ("shop.order", "a client", session)
    assert (of_10.model_name, of_10.client, of_10.env) == ("shop.order", "a client", session.env)
    assert Environment.create_environment(record, session, "shop.order").client is None


def test_addon_of_a_unit_may_be_told_under_both_names():
    """
    `_openerp_module_` and `_module` are one, for the class and for its instances.
    """

    class Unit(ConnectorUnit):
        pass

    Unit._openerp_module_ = "sale"

    assert Unit._module == "sale"
    assert Unit.__new__(Unit)._openerp_module_ == "sale"
    Unit._module = "stock"
    assert Unit._openerp_module_ == "stock"
