"""Partners, categories and countries over the external API, whatever fields a series has."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connector.connector import ExternalId
from connector.exception import IDMissingInBackend
from connector.rpc import Odoo
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector_example.odoo.backend import odoo
from connector_example.odoo.client import client_of, explained

PAGE_RECORDS = 200

#: Archived records are records, too.
EVERYTHING = {"active_test": False}


class OdooAdapter(CRUDAdapter):
    """A many2one is the id it points to, empty fields are False, as the server has them."""

    _remote_model: ClassVar[str] = ""
    #: What is read and written, as far as the series has it.
    _fields: ClassVar[tuple[str, ...]] = ()
    _updated_at_field = "write_date"

    @property
    def client(self) -> Odoo:
        return client_of(self.session, self.backend_record)

    def remote_fields(self) -> dict[str, dict[str, Any]]:
        """Those of `_fields` that the server has, with their types; asked for once."""
        if not hasattr(self, "_remote_fields"):
            wanted = [*self._fields, self._updated_at_field]
            with explained():
                found = self.client.fields_get(self._remote_model, None, ["type"])
            self._remote_fields = {name: found[name] for name in wanted if name in found}
        return self._remote_fields

    # -- reading -----------------------------------------------------------------------------

    def search_page(self, filters: Mapping[str, Any] | None = None, page: Any = None) -> Page:
        """
        Records in the order of their ids, so that none is missed when some go meanwhile.

        The filter `since` leaves out those that were written before that time.
        """
        domain: list[Any] = [("id", ">", page or 0)]
        if since := (filters or {}).get("since"):
            # What was never written, or past the models, has no time to be compared.
            changed = [(self._updated_at_field, ">=", since), (self._updated_at_field, "=", False)]
            domain = ["&", *domain, "|", *changed]
        found = self._rows(domain, PAGE_RECORDS)
        return Page(found, found[-1]["id"] if len(found) == PAGE_RECORDS else None)

    def read(self, external_id: ExternalId) -> Any:
        rows = self.read_many([external_id])
        if not rows:
            raise IDMissingInBackend(
                f"{self._remote_model} {external_id} does not exist on the server any more."
            )
        return rows[0]

    def read_many(self, external_ids: Iterable[ExternalId]) -> list[Any]:
        return self._rows([("id", "in", [int(id_) for id_ in external_ids])], None)

    def last_write(self) -> str | None:
        """When the server has written one of the records last, by its own clock."""
        with explained():
            rows = self.client.search_read(
                self._remote_model,
                [(self._updated_at_field, "!=", False)],
                [self._updated_at_field],
                limit=1,
                order=f"{self._updated_at_field} desc",
                context=EVERYTHING,
            )
        return str(rows[0][self._updated_at_field]) if rows else None

    def _rows(self, domain: list[Any], limit: int | None) -> list[Any]:
        fields = self.remote_fields()
        links = [name for name, facts in fields.items() if facts["type"] == "many2one"]
        with explained():
            rows = self.client.search_read(
                self._remote_model,
                domain,
                list(fields),
                limit=limit,
                order="id",
                context=EVERYTHING,
            )
        return [{**row, **{name: row[name] and row[name][0] for name in links}} for row in rows]

    # -- writing -----------------------------------------------------------------------------

    def create(self, data: Mapping[str, Any]) -> ExternalId:
        with explained():
            return self.client.create(self._remote_model, self._known(data))

    def write(self, external_id: ExternalId, data: Mapping[str, Any]) -> Any:
        with explained():
            return self.client.write(self._remote_model, [int(external_id)], self._known(data))

    def delete(self, external_id: ExternalId) -> Any:
        with explained():
            return self.client.unlink(self._remote_model, [int(external_id)])

    def _known(self, data: Mapping[str, Any]) -> dict[str, Any]:
        fields = self.remote_fields()
        return {name: value for name, value in data.items() if name in fields}


@odoo
class CountryAdapter(OdooAdapter):
    _model_name = "odoo.res.country"
    _remote_model = "res.country"
    _fields = ("name", "code")

    def id_of_code(self, code: str) -> ExternalId | None:
        """The id of a country on the server, which is another one there."""
        with explained():
            ids = self.client.search(self._remote_model, [("code", "=", code)], limit=1)
        return ids[0] if ids else None


@odoo
class CategoryAdapter(OdooAdapter):
    _model_name = "odoo.res.partner.category"
    _remote_model = "res.partner.category"
    _fields = ("name", "active", "parent_id")


@odoo
class PartnerAdapter(OdooAdapter):
    _model_name = "odoo.res.partner"
    _remote_model = "res.partner"
    _fields = (
        *("name", "ref", "active", "is_company", "type", "parent_id", "child_ids"),
        *("category_id", "country_id", "email", "phone", "mobile", "website", "function"),
        *("vat", "comment", "street", "street2", "zip", "city"),
    )
