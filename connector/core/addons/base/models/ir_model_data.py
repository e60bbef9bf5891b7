"""External ids: names of records that stay the same in every database."""

from typing import Any

from connector.core import api, fields, models
from connector.core.exceptions import AccessError, UnknownExternalIdError
from connector.core.modules.external_ids import ExternalIds


class IrModelData(models.Model):
    """One external id, `module.name`, and the record it names."""

    _name = "ir.model.data"
    _description = "Model Data"
    _order = "module, model, name"
    _natural_keys = [("module", "name")]

    name = fields.Char("External Identifier", required=True)
    module = fields.Char(required=True, default="")
    model = fields.Char("Model Name", required=True)
    res_id = fields.Integer("Record ID")
    noupdate = fields.Boolean("Non Updatable", default=False)
    date_init = fields.Datetime("Init Date")
    date_update = fields.Datetime("Update Date")

    @api.model
    def xmlid_lookup(self, xmlid: str) -> tuple[int, str, int]:
        """
        Id of the external id, model and id of the record.

        Raises:
            ValueError: there is none, or *xmlid* has no dot.
        """
        module, name = xmlid.split(".", 1)
        link = ExternalIds(self.env).resolve(f"{module}.{name}", module)
        return link.id, link.model, link.res_id

    @api.model
    def xmlid_to_res_model_res_id(
        self, xmlid: str, raise_if_not_found: bool = False
    ) -> tuple[Any, Any]:
        """Model and id of the record, or two times False."""
        try:
            return self.xmlid_lookup(xmlid)[1:]
        except UnknownExternalIdError:
            if raise_if_not_found:
                raise
            return False, False

    @api.model
    def xmlid_to_res_id(self, xmlid: str, raise_if_not_found: bool = False) -> Any:
        """The id of the record, or False."""
        return self.xmlid_to_res_model_res_id(xmlid, raise_if_not_found)[1]

    @api.model
    def xmlid_to_object(self, xmlid: str, raise_if_not_found: bool = False) -> Any:
        """
        The record, or None.

        Raises:
            ValueError: there is no such id, or its record is gone.
        """
        model, res_id = self.xmlid_to_res_model_res_id(xmlid, raise_if_not_found)
        if not model:
            return None
        record = self.env[model].browse(res_id)
        if record.exists():
            return record
        if raise_if_not_found:
            raise UnknownExternalIdError(
                f"No record found for unique ID {xmlid}. It may have been deleted: "
                "update the addon to make it again."
            )
        return None

    @api.model
    def get_object_reference(self, module: str, xml_id: str) -> tuple[str, int]:
        """Model and id of the record `module.xml_id`."""
        return self.xmlid_lookup(f"{module}.{xml_id}")[1:]

    @api.model
    def check_object_reference(
        self, module: str, xml_id: str, raise_on_access_error: bool = False
    ) -> tuple[str, Any]:
        """
        Model of the record `module.xml_id`, and its id if the user may read it, else False.

        Raises:
            AccessError: the user may not, and *raise_on_access_error* is set.
        """
        model, res_id = self.get_object_reference(module, xml_id)
        # A search, since the rules hold for it.
        record = self.env[model].with_context(active_test=False).search([("id", "=", res_id)])
        if record:
            return model, res_id
        if raise_on_access_error:
            raise AccessError(
                f"User {self.env.uid} may not read {module}.{xml_id}, which is {model}({res_id})."
            )
        return model, False

    @api.model
    def get_object(self, module: str, xml_id: str) -> Any:
        """The record `module.xml_id`."""
        return self.xmlid_to_object(f"{module}.{xml_id}", raise_if_not_found=True)
