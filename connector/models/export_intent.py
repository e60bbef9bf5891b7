"""What was going to be created on a backend, noted before the request is sent."""

from connector.core import fields, models


class ConnectorExportIntent(models.Model):
    """
    A create that was sent, or was about to be, and whose answer is not bound yet.

    It is committed on a connection of its own, before the request, and deleted with the commit
    that binds the record.  One that is found by a later try tells that an answer was lost.  The
    table has no foreign keys, so that writing it waits for no lock of the exporter.
    """

    _name = "connector.export.intent"
    _description = "Connector Export Intent"
    _log_access = False

    backend = fields.Char(required=True)
    model = fields.Char(required=True)
    binding_id = fields.Integer(required=True)
    idempotency_key = fields.Char(required=True)
    #: When it was sent last.
    date_intended = fields.Datetime(required=True)
    #: What was sent, as the jobs keep values; a backend is asked about this and nothing newer.
    data = fields.Text()

    _sql_constraints = [
        ("once", "unique(backend, model, binding_id)", "A record has one intent at a time."),
    ]
