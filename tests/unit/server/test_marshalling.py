"""Values on the wire."""

from __future__ import annotations

import json
import xmlrpc.client
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.server import marshalling

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufffe\uffff", min_codepoint=32)
)
values = st.recursive(
    st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@given(values)
def test_plain_values_travel_both_ways(value):
    """What JSON and XML-RPC have words for arrives as it was."""
    assert json.loads(marshalling.to_json(value)) == value
    (arrived,), _ = xmlrpc.client.loads(marshalling.to_xmlrpc(value))
    assert arrived == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 11, 21, 9, 30, 1, 999), "2026-11-21 09:30:01"),
        (date(2026, 11, 21), "2026-11-21"),
        (b"YmFzZTY0", "YmFzZTY0"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_dates_bytes_and_others_are_texts(value, text):
    """Both protocols carry dates, bytes and what they do not know as texts."""
    assert json.loads(marshalling.to_json({"v": value})) == {"v": text}
    (arrived,), _ = xmlrpc.client.loads(marshalling.to_xmlrpc({"v": value}))
    assert arrived == {"v": text}


def test_keys_become_texts():
    """A dictionary by ids, or by anything else, has texts for keys."""
    assert json.loads(marshalling.to_json({1: {(1, 2): "x"}})) == {"1": {"(1, 2)": "x"}}
    assert xmlrpc.client.loads(marshalling.to_xmlrpc({1: "x"}))[0] == ({"1": "x"},)


@pytest.mark.parametrize(("value", "error"), [(None, TypeError), ([2**40], OverflowError)])
def test_what_xmlrpc_cannot_say_is_an_error(value, error):
    """None and large numbers have no word in XML-RPC."""
    with pytest.raises(error):
        marshalling.to_xmlrpc(value)


@pytest.mark.parametrize("code", [2, "warning -- UserError\n\nNo"])
def test_a_fault_is_read_as_it_was_told(code):
    """Faults have a number or a text for code."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(marshalling.fault_to_xmlrpc(xmlrpc.client.Fault(code, "text\x00")))
    assert (caught.value.faultCode, caught.value.faultString) == (code, "text")


@given(st.lists(values, max_size=3).map(tuple))
def test_calls_are_read_as_clients_write_them(args):
    """Method and arguments of a call arrive."""
    body = xmlrpc.client.dumps(args, "execute").encode()
    assert marshalling.from_xmlrpc(body) == ("execute", args)


@given(st.binary())
def test_what_is_no_call_is_told(body):
    """Any other body is a ValueError, whatever the parser stumbles over."""
    with pytest.raises(ValueError, match="no call"):
        marshalling.from_xmlrpc(body)
