"""Builds keyword arguments and addresses for the functions of the external API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

JSONRPC_SUFFIX = "jsonrpc"


def execute_kwargs(
    *,
    fields: Sequence[str] | None = None,
    limit: int | None = None,
    offset: int | None = None,
    order: str | None = None,
    count: bool | None = None,
    context: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """The arguments that were given, as `execute_kw` takes them; None when none was."""
    named = {
        "fields": fields,
        "limit": limit,
        "offset": offset,
        "order": order,
        "count": count,
        "context": context,
    }
    return {name: value for name, value in named.items() if value is not None} or None


def build_odoo_base_url(
    *, host: str, port: int | None = None, ssl: bool = True, base_url: str = ""
) -> str:
    """The address of a server, ending with a slash; *base_url* is the path below its host."""
    scheme = "https" if ssl else "http"
    # A bare IPv6 address needs brackets, or its colons read as a port.
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    place = name if port is None else f"{name}:{port}"
    path = base_url.strip("/")
    return f"{scheme}://{place}/{path}/" if path else f"{scheme}://{place}/"


def build_odoo_jsonrpc_endpoint_url(
    *,
    host: str,
    port: int | None = None,
    ssl: bool = True,
    base_url: str = "",
    custom_odoo_jsonrpc_suffix: str | None = None,
) -> str:
    """The address that calls are posted to, from its parts."""
    return odoo_base_url2jsonrpc_endpoint(
        build_odoo_base_url(host=host, port=port, ssl=ssl, base_url=base_url),
        custom_odoo_jsonrpc_suffix,
    )


def odoo_base_url2jsonrpc_endpoint(
    odoo_base_url: str = "", custom_odoo_jsonrpc_suffix: str | None = None
) -> str:
    """The address that calls are posted to; a suffix that is there already is not doubled."""
    suffix = (custom_odoo_jsonrpc_suffix or JSONRPC_SUFFIX).strip("/")
    base = odoo_base_url.rstrip("/")
    if not base:
        return suffix
    return base if base == suffix or base.endswith(f"/{suffix}") else f"{base}/{suffix}"
