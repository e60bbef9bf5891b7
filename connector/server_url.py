"""URLs of the two servers: read, changed in part, and shown without their password."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit


def with_parameters(url: str, db_name: str | None, given: Mapping[str, str]) -> str:
    """*url* with the database *db_name* (None: its own), and *given* before its own parameters."""
    parts = urlsplit(url)
    replaced = {*given, "dbname"} if db_name else {*given}
    own = {k: v for k, v in parse_qsl(parts.query) if k not in replaced}
    path = "/" + quote(db_name, safe="") if db_name else parts.path
    query = urlencode({**own, **given}, quote_via=quote, safe="")
    return _joined(parts._replace(path=path, query=query))


def database_of(url: str) -> str | None:
    """The database that *url* names, if it names one."""
    parts = urlsplit(url)
    return dict(parse_qsl(parts.query)).get("dbname") or unquote(parts.path.strip("/")) or None


def without_password(url: str) -> str:
    """*url* as it may be shown."""
    parts = urlsplit(url)
    query = [(k, "***" if "pass" in k else v) for k, v in parse_qsl(parts.query)]
    login, at, where = parts.netloc.rpartition("@")
    user, colon, _password = login.partition(":")
    netloc = f"{user}{':***' if colon else ''}{at}{where}"
    return _joined(parts._replace(netloc=netloc, query=urlencode(query, safe="*/")))


def _joined(parts: SplitResult) -> str:
    # urlunsplit would lose the slashes of an empty host: postgresql:///name, unix:///path.
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if parts.query else ''}{parts.query}"
