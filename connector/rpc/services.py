"""
What each function of the external API sends, and what it makes of the result.

    common   login authenticate version about
    object   execute_kw
    db       db_exist list_databases list_lang list_countries server_version create_database
             duplicate_database drop_database dump_database restore_database rename_database
             migrate_databases change_admin_password
"""

from __future__ import annotations

import binascii
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from connector.rpc.protocol import Call, as_is, instance_of

Uid = int | Literal[False]

_boolean = instance_of(bool)
_list = instance_of(list)
_text = instance_of(str)

_MASTER_ADVICE = ". This server asks for its master password: pass admin_password"


def login(*, db: str, login: str, password: str) -> Call[Uid]:
    """The id of a user, or False where login or password is wrong."""
    return Call("common", "login", [db, login, password], _uid)


def authenticate(
    *, db: str, login: str, password: str, user_agent_env: Mapping[str, Any]
) -> Call[Uid]:
    """
    As `login`, and tells the server the address it is reached by.

    A `base_location` in *user_agent_env* becomes the server's `web.base.url` when a system user
    logs in. Prefer `login`.
    """
    return Call("common", "authenticate", [db, login, password, dict(user_agent_env)], _uid)


def version() -> Call[str]:
    """The series of the server, such as `14.0`."""
    return Call("common", "version", [], _series)


def about(*, extended: bool) -> Call[tuple[str, str] | str]:
    """What the server says of itself; when *extended*, with its version."""
    return Call("common", "about", [extended], _about)


def execute_kw(
    *,
    db: str,
    uid: int,
    password: str,
    obj: str,
    method: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    kw: Mapping[str, Any] | None = None,
) -> Call[Any]:
    """
    The result of a model's method; None where it returns None.

    *args* is the list of positional arguments, *kwargs* (or *kw*) the named ones.
    """
    if kwargs is not None and kw is not None:
        raise TypeError("execute_kw: kwargs and kw are two names of one argument, give one")
    if isinstance(args, str | bytes | Mapping):
        raise TypeError(
            f"execute_kw: args is the list of positional arguments, not {type(args).__name__}"
        )
    named = kwargs if kwargs is not None else kw
    sent = [db, uid, password, obj, method, list(args), {} if named is None else dict(named)]
    return Call("object", "execute_kw", sent, as_is)


def db_exist(*, db_name: str) -> Call[bool]:
    """Whether the server can open a database."""
    return Call("db", "db_exist", [db_name], _boolean)


def list_databases(*, document: bool = False) -> Call[list[str]]:
    """The names of the databases that the server shows."""
    return Call("db", "list", [document], _list)


def list_lang() -> Call[list[list[str]]]:
    """Code and name of each language."""
    return Call("db", "list_lang", [], _list)


def list_countries(*, admin_password: str | None = None) -> Call[list[list[str]]]:
    """Code and name of each country; most servers ask for their master password."""
    if admin_password is not None:
        return Call("db", "list_countries", [admin_password], _list)
    # Servers look for the password among the arguments, and not all check that it is there.
    errors = ("AccessDenied", "IndexError", "TypeError", "ValueError")
    advice = dict.fromkeys(errors, _MASTER_ADVICE)
    return Call("db", "list_countries", [], _list, advice=advice)


def server_version() -> Call[str]:
    """The full version of the server, such as `14.0-20230102`."""
    return Call("db", "server_version", [], _text)


def create_database(
    *,
    admin_password: str,
    db_name: str,
    demo: bool,
    lang: str,
    user_password: str = "admin",  # noqa: S107 - the API's own default
    login: str = "admin",
    country_code: str | None = None,
    phone: str | None = None,
) -> Call[bool]:
    """Create a database whose first user is *login*."""
    sent = [admin_password, db_name, demo, lang, user_password, login, country_code, phone]
    # The oldest servers end at user_password. What says the same as a server's default stays out.
    for default in (None, None, "admin"):
        if sent[-1] != default:
            break
        sent.pop()
    return Call("db", "create_database", sent, _boolean)


def duplicate_database(*, admin_password: str, db_original_name: str, db_name: str) -> Call[bool]:
    """Copy a database under another name."""
    return Call("db", "duplicate_database", [admin_password, db_original_name, db_name], _boolean)


def drop_database(*, admin_password: str, db_name: str) -> Call[bool]:
    """Delete a database; False where there is none of that name."""
    return Call("db", "drop", [admin_password, db_name], _boolean)


def dump_database(*, admin_password: str, db_name: str, format: str = "zip") -> Call[bytes]:
    """The dump: a zip with the files, or with any other *format* what `pg_dump` writes."""
    return Call("db", "dump", [admin_password, db_name, format], _decoded)


def restore_database(
    *, admin_password: str, db_name: str, data: bytes, copy: bool = False
) -> Call[bool]:
    """Make a database of a dump; a *copy* gets an identity of its own."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"restore_database: data is the dump as bytes, not {type(data).__name__}")
    encoded = b64encode(data).decode("ascii")
    return Call("db", "restore", [admin_password, db_name, encoded, copy], _boolean)


def rename_database(*, admin_password: str, old_name: str, new_name: str) -> Call[bool]:
    """Give a database another name."""
    return Call("db", "rename", [admin_password, old_name, new_name], _boolean)


def migrate_databases(*, admin_password: str, databases: Sequence[str]) -> Call[bool]:
    """Update every module of the databases."""
    if isinstance(databases, str):
        raise TypeError("migrate_databases: databases is a list of names, not one name")
    return Call("db", "migrate_databases", [admin_password, list(databases)], _boolean)


def change_admin_password(*, admin_password: str, new_password: str) -> Call[bool]:
    """Change the master password of the server."""
    return Call("db", "change_admin_password", [admin_password, new_password], _boolean)


def _uid(result: Any) -> Uid:
    if result is None or result is False:
        return False
    if isinstance(result, int) and result is not True:
        return result
    raise ValueError(f"a user's id or False expected, {type(result).__name__} received")


def _series(result: Any) -> str:
    """The series, such as `14.0`, of what `common.version` tells."""
    if isinstance(result, dict):
        result = result.get("server_serie") or result.get("server_version")
    if not isinstance(result, str):
        raise ValueError("it tells no version")
    return result


def _about(result: Any) -> tuple[str, str] | str:
    match result:
        case str():
            return result
        case [str(information), str(version)]:
            return information, version
    raise ValueError("a text, or a text and a version, expected")


def _decoded(result: Any) -> bytes:
    """The bytes of base64 text, whose lines may be broken."""
    text = "".join(_text(result).split())
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise ValueError(f"the dump is not base64 ({error})") from error
