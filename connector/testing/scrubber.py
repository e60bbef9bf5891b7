"""
Takes secrets out of recorded HTTP.

A value is secret by the name that it stands under (a header, a query parameter, a field of a form
or of JSON), or because the author says so.  Once known it is blanked wherever it appears: in a
URL, in an answer that repeats it, in Base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

BLANK = "SCRUBBED"
#: A shorter value is blanked under its name only: "1" stands in every text.
SHORTEST_VALUE = 6

#: A name with one of these in it names a secret; case, dashes and underscores do not matter.
_PARTS = (
    "accesskey",
    "apikey",
    "authorization",
    "clientid",
    "cookie",
    "credential",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "session",
    "signature",
    "token",
)
_WHOLE = frozenset({"auth", "key", "pass", "pin", "sid", "sig", "xauth"})


class Scrubber:
    """
    Blanks secrets, and remembers them.

    *secrets* are values that are known; *public* are names that hold none for all they look like,
    `next_page_token` for instance.
    """

    def __init__(self, secrets: Iterable[str] = (), public: Iterable[str] = ()) -> None:
        self._public = {_plain(name) for name in public}
        self._values: set[str] = set()
        for value in secrets:
            self.remember(value)

    def is_secret(self, name: str) -> bool:
        """Say whether a value under this name is secret."""
        plain = _plain(name)
        if plain in self._public:
            return False
        return plain in _WHOLE or any(part in plain for part in _PARTS)

    def remember(self, value: str) -> None:
        """Blank this value wherever it appears from now on."""
        scheme, _, rest = value.partition(" ")
        if rest and scheme.isalpha():  # Bearer TOKEN, Basic BASE64
            self.remember(rest)
            if scheme.lower() == "basic":
                user, _, password = _from_base64(rest).partition(":")
                self.remember(f"{user}:{password}")
                self.remember(password)
        if len(value) >= SHORTEST_VALUE:
            self._values.add(value)

    def text(self, text: str) -> str:
        """Blank every value that is known, as it is or as a URL, JSON or Base64 writes it."""
        for value in sorted(self._values, key=len, reverse=True):
            encoded = base64.b64encode(value.encode()).decode()
            for form in (value, quote(value, safe=""), quote_plus(value), _in_json(value), encoded):
                text = text.replace(form, BLANK)
        return text

    def headers(self, headers: Mapping[str, Any]) -> dict[str, Any]:
        """Blank the values of secret headers, and secrets in the others."""
        return {name: self._header(name, value) for name, value in headers.items()}

    def url(self, url: str) -> str:
        """Blank user, password and the secret parameters of a URL."""
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
        if at:
            self.remember(unquote(user.partition(":")[2]))
            host = f"{BLANK}@{host}"
        query = urlencode(self._pairs(parse_qsl(parts.query, keep_blank_values=True)))
        return self.text(urlunsplit((parts.scheme, host, parts.path, query, parts.fragment)))

    def body(self, body: bytes | str | None, kind: str) -> bytes | None:
        """Blank the secret fields of JSON and of forms, and known secrets in everything else."""
        if not body:
            return None if body is None else b""
        try:
            text = body if isinstance(body, str) else body.decode()
        except UnicodeDecodeError:
            assert isinstance(body, bytes)
            return self._binary(body)
        if "x-www-form-urlencoded" in kind:
            text = urlencode(self._pairs(parse_qsl(text, keep_blank_values=True)))
        else:
            text = self._json(text)
        return self.text(text).encode()

    def _json(self, text: str) -> str:
        try:
            content = json.loads(text)
        except ValueError:
            return text
        blanked = self._content(content)
        return text if blanked == content else json.dumps(blanked, ensure_ascii=False)

    def _content(self, content: Any) -> Any:
        if isinstance(content, list):
            return [self._content(item) for item in content]
        if isinstance(content, dict):
            return {name: self._field(str(name), value) for name, value in content.items()}
        return content

    def _field(self, name: str, value: Any) -> Any:
        if not self.is_secret(name) or value is None or isinstance(value, bool):
            return self._content(value)
        return self._blanked(value)

    def _blanked(self, value: Any) -> Any:
        """Whatever is under a secret name is secret, however deep."""
        if isinstance(value, dict):
            return {name: self._blanked(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._blanked(item) for item in value]
        if value is None or isinstance(value, bool) or value == BLANK:
            return value
        self.remember(str(value))
        return BLANK

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, self._field(name, value)) for name, value in pairs]

    def _header(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._header(name, item) for item in value]
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if "cookie" in _plain(name):
            for cookie in re.findall(r"=\s*([^;,\s]+)", text):
                self.remember(cookie)
        if self.is_secret(name):
            if text != BLANK:
                self.remember(text)
            return BLANK
        return (
            self.url(text) if _plain(name) in ("location", "link", "referer") else self.text(text)
        )

    def _binary(self, body: bytes) -> bytes:
        for value in self._values:
            body = body.replace(value.encode(), BLANK.encode())
        return body


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
