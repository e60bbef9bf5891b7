"""Secrets leave recorded HTTP, whatever they stand in."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.testing.scrubber import BLANK, Scrubber

SECRET = 'x7"k/ü+Q9 z'


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "api_key",
        "apikey",
        "key",
        "access_token",
        "refreshToken",
        "X-Auth-Token",
        "X-Shopify-Access-Token",
        "password",
        "client_secret",
        "X-Amz-Signature",
        "sig",
        "session_id",
        "private_key",
    ],
)
def test_a_telling_name_is_secret(name: str) -> None:
    """The usual names of keys, tokens, passwords and cookies are known."""
    assert Scrubber().is_secret(name)


@pytest.mark.parametrize(
    "name", ["Content-Type", "name", "keyword", "monkey", "email", "idempotency-key", "ETag", "id"]
)
def test_another_name_is_not(name: str) -> None:
    """Names that only look a little alike are left."""
    assert not Scrubber().is_secret(name)


def test_a_name_can_be_declared_public() -> None:
    """A page's token is none that opens anything, if the author says so."""
    assert not Scrubber(public=["nextPageToken"]).is_secret("next_page_token")


def test_headers_lose_their_secrets() -> None:
    """Secret headers are blanked, and what they held is blanked in the others."""
    scrubber = Scrubber()

    headers = scrubber.headers(
        {"Authorization": "Bearer abc123def", "X-Echo": ["abc123def!"], "Accept": "text/html"}
    )

    assert headers == {"Authorization": BLANK, "X-Echo": [f"{BLANK}!"], "Accept": "text/html"}


def test_basic_credentials_are_known_apart() -> None:
    """The password in a Basic header is blanked where it stands alone, too."""
    scrubber = Scrubber()
    basic = base64.b64encode(b"ada:difference1").decode()

    scrubber.headers({"Authorization": f"Basic {basic}"})

    assert scrubber.text(f"difference1 {basic}") == f"{BLANK} {BLANK}"


def test_urls_lose_password_and_parameters() -> None:
    """User, password and secret parameters leave a URL; the others stay."""
    scrubber = Scrubber()

    url = scrubber.url("https://ada:engine99@shop.example/a?page=2&access_token=abc123def&q=a%20b")

    assert url == f"https://{BLANK}@shop.example/a?page=2&access_token={BLANK}&q=a+b"
    assert scrubber.text("engine99 abc123def") == f"{BLANK} {BLANK}"


def test_json_loses_secret_fields_at_any_depth() -> None:
    """Whatever is below a secret name is blanked; null, true and the rest stay."""
    body = {
        "data": [{"access_token": "abc123def", "expires": 3600, "name": "Ada"}],
        "credentials": {"user": "ada_user", "keys": ["k1k1k1k1", None, True]},
        "password": None,
        "pin": 123456,
        "note": "abc123def and k1k1k1k1",
    }

    found = json.loads(Scrubber().body(json.dumps(body), "application/json") or b"")

    assert found == {
        "data": [{"access_token": BLANK, "expires": 3600, "name": "Ada"}],
        "credentials": {"user": BLANK, "keys": [BLANK, None, True]},
        "password": None,
        "pin": BLANK,
        "note": f"{BLANK} and {BLANK}",
    }


def test_forms_lose_secret_fields() -> None:
    """The fields of a form are blanked by their names."""
    kind = "application/x-www-form-urlencoded"

    found = Scrubber().body(b"user=ada&password=engine99&scope=", kind)

    assert found == f"user=ada&password={BLANK}&scope=".encode()


@pytest.mark.parametrize("body", [b"", None, b"<p>none</p>", b'{"a": 1}', b"\xff\xfe"])
def test_what_has_no_secret_stays(body: bytes | None) -> None:
    """A body without secrets is the same afterwards, to the byte."""
    assert Scrubber(["secret-value"]).body(body, "text/html") == body


def test_bytes_lose_known_secrets() -> None:
    """A value that is known is blanked in a body that is no text."""
    assert Scrubber(["abc123def"]).body(b"\xffabc123def\xfe", "image/png") == (
        b"\xff" + BLANK.encode() + b"\xfe"
    )


def test_a_short_value_is_blanked_by_name_only() -> None:
    """A secret of two letters does not blank every text that has them."""
    scrubber = Scrubber()

    assert scrubber.url("https://a.example/?key=ab") == f"https://a.example/?key={BLANK}"
    assert scrubber.text("about") == "about"


@pytest.mark.parametrize("form", ["plain", "json", "url", "base64"])
def test_a_value_that_is_given_is_blanked_in_every_form(form: str) -> None:
    """An author's secret is found as JSON, URLs and Base64 write it."""
    written = {
        "plain": SECRET,
        "json": json.dumps({"note": SECRET}),
        "url": "https://a.example/" + "x7%22k%2F%C3%BC%2BQ9%20z",
        "base64": base64.b64encode(SECRET.encode()).decode(),
    }[form]

    found = Scrubber([SECRET]).text(written)

    assert BLANK in found
    assert "Q9" not in found


values = st.text(min_size=6, max_size=30).filter(lambda text: text not in BLANK)
names = st.sampled_from(["token", "password", "api_key", "Cookie", "clientSecret"])


@given(names, values, st.sampled_from(["header", "query", "json", "form"]))
def test_a_secret_leaves_every_place(name: str, value: str, place: str) -> None:
    """Under a secret name no value stays, and blanking again changes nothing."""
    scrubber = Scrubber()

    def blank(text: Any) -> Any:
        if place == "header":
            return scrubber.headers({name: text})[name]
        if place == "query":
            return scrubber.url("https://a.example/?" + urlencode({name: text})).split("=", 1)[1]
        if place == "json":
            return json.loads(scrubber.body(json.dumps({name: text}), "") or b"")[name]
        kind = "application/x-www-form-urlencoded"
        return (scrubber.body(urlencode({name: text}), kind) or b"").decode().split("=", 1)[1]

    assert blank(value) == BLANK
    assert blank(BLANK) == BLANK
