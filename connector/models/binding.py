"""The model of a binding: the link between a record and the backend's record."""

from connector.core import fields, models


class ExternalBinding(models.AbstractModel):
    """
    What every binding has.

    A connector's binding inherits it, `_inherits` the bound model through `openerp_id`
    (required, cascade) and adds `backend_id` (required, restrict), `external_id` as text, since
    zero is an id, and the constraint UNIQUE(backend_id, external_id).
    """

    _name = "external.binding"
    _description = "External Binding"

    sync_date = fields.Datetime(string="Last synchronization")
    #: Of the mapped values written last; the importer writes nothing when it has not changed.
    checksum = fields.Char(string="Checksum of the last import", copy=False)
    #: Set by the deletion sweep.  The binding stays, so that a record that comes back is known.
    missing_since = fields.Datetime(string="Not on the backend since", copy=False)
    # Text of fixed width in UTC: the backend's microseconds are kept, and texts compare as
    # the dates do.
    backend_updated_at = fields.Char(string="Last change on the backend", copy=False)
