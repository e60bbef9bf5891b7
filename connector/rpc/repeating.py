"""Which calls may be sent again when nobody knows whether the first one was carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Model methods that only read: sending them twice does no harm.
READING_METHODS = frozenset(
    {
        "check_access_rights",
        "context_get",
        "default_get",
        "exists",
        "export_data",
        "fields_get",
        "fields_view_get",
        "get_metadata",
        "get_view",
        "get_views",
        "has_group",
        "name_get",
        "name_search",
        "read",
        "read_group",
        "search",
        "search_count",
        "search_read",
    }
)

#: Calls of the other services that only look.
READING_CALLS: Mapping[str, frozenset[str]] = {
    "common": frozenset({"about", "authenticate", "login", "version"}),
    "db": frozenset({"db_exist", "list", "list_countries", "list_lang", "server_version"}),
}


def may_repeat(payload: Any) -> bool:
    """Whether sending *payload* once more, after an unknown outcome, does no harm."""
    try:
        params = payload["params"]
        service, method, args = params["service"], params["method"], params["args"]
        if service == "object":
            return args[4] in READING_METHODS
        return method in READING_CALLS.get(service, ())
    except (LookupError, TypeError):
        return False
