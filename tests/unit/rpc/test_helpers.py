"""Addresses and keyword arguments."""

from __future__ import annotations

import pytest

from connector.rpc.helpers import (
    build_odoo_base_url,
    build_odoo_jsonrpc_endpoint_url,
    execute_kwargs,
    odoo_base_url2jsonrpc_endpoint,
)


def test_only_what_was_given_is_sent() -> None:
    """Arguments that are None stay out, other empty ones stay in; nothing at all is None."""
    assert execute_kwargs(fields=["name"], offset=0, order="id") == {
        "fields": ["name"],
        "offset": 0,
        "order": "id",
    }
    assert execute_kwargs(count=False, context={}, limit=5) == {
        "count": False,
        "context": {},
        "limit": 5,
    }
    assert execute_kwargs() is None


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({"host": "acme.com"}, "https://acme.com/"),
        ({"host": "acme.com", "port": 8069, "ssl": False}, "http://acme.com:8069/"),
        ({"host": "acme.com", "base_url": "/erp/"}, "https://acme.com/erp/"),
        ({"host": "::1", "port": 80, "ssl": False}, "http://[::1]:80/"),
    ],
)
def test_a_base_address_ends_with_a_slash(arguments: dict[str, object], url: str) -> None:
    """The address of a server is built from its parts."""
    assert build_odoo_base_url(**arguments) == url  # type: ignore[arg-type]
    assert build_odoo_jsonrpc_endpoint_url(**arguments) == f"{url}jsonrpc"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "suffix", "url"),
    [
        ("", None, "jsonrpc"),
        ("https://acme.com", None, "https://acme.com/jsonrpc"),
        ("https://acme.com//", None, "https://acme.com/jsonrpc"),
        ("https://acme.com/jsonrpc/", None, "https://acme.com/jsonrpc"),
        ("https://acme.com/myjsonrpc", None, "https://acme.com/myjsonrpc/jsonrpc"),
        ("https://acme.com", "/rpc/", "https://acme.com/rpc"),
        ("https://acme.com/rpc", "rpc", "https://acme.com/rpc"),
    ],
)
def test_a_suffix_is_added_once(base: str, suffix: str | None, url: str) -> None:
    """The suffix ends the address, and is not doubled where it does already."""
    assert odoo_base_url2jsonrpc_endpoint(base, suffix) == url
