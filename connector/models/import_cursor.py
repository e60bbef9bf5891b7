"""How far the incremental imports of a model have come."""

from connector.core import fields, models


class ConnectorImportCursor(models.Model):
    """
    A point in time by the backend's clock, and what was imported at exactly that point.

    Everything that the backend changed before it is imported, or waits as a job of its own.
    """

    _name = "connector.import.cursor"
    _description = "Connector Import Cursor"

    backend = fields.Char(required=True)
    model = fields.Char(required=True)
    #: ISO 8601 in UTC, with microseconds.
    value = fields.Char(required=True)
    #: External id -> checksum of the record, of those changed at the value.
    seen = fields.Json()

    _sql_constraints = [
        ("once", "unique(backend, model)", "A model of a backend has one cursor."),
    ]
