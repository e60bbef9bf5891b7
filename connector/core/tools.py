"""Names of the tools of 8.0 that addons import beside models, fields and api."""

SUPERUSER_ID = 1

DEFAULT_SERVER_DATE_FORMAT = "%Y-%m-%d"
DEFAULT_SERVER_TIME_FORMAT = "%H:%M:%S"
DEFAULT_SERVER_DATETIME_FORMAT = f"{DEFAULT_SERVER_DATE_FORMAT} {DEFAULT_SERVER_TIME_FORMAT}"


def _(source: str) -> str:
    """Give a text of the code as it stands: texts are translated in fields, not in code."""
    return source
