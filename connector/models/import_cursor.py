"""How far the incremental imports of a model have come, and those that jobs work on."""

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
    #: The newest time that a listing has shown, in the same form; the backend's clock is past it.
    newest = fields.Char()

    _sql_constraints = [
        ("once", "unique(backend, model)", "A model of a backend has one cursor."),
    ]


class ConnectorImportWindow(models.Model):
    """
    What jobs have read of the changes since the cursor, which moves when all of them are done.

    A window whose jobs were cancelled is removed when a later one of its model is closed.
    """

    _name = "connector.import.window"
    _description = "Connector Import Window"

    backend = fields.Char(required=True, index=True)
    model = fields.Char(required=True)
    state = fields.Json(required=True)
