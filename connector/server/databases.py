"""Databases made, copied, renamed and dropped as a whole; who may ask for it is decided above."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from connector.core import modules, sql
from connector.core.environment import Environment
from connector.core.exceptions import DatabaseExistsError, DatabaseMissingError
from connector.core.registry import SUPERUSER_ID, Registry
from connector.core.sql import administration
from connector.server import dumps
from connector.server.errors import DatabaseManagementError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,62}\Z")
_BASE_DATA = files("connector.core.addons.base") / "data"


def names() -> list[str]:
    """The databases of the server that belong to the user of this process."""
    return list(administration.own_databases())


def exists(name: str) -> bool:
    return sql.database_exists(name)


def languages() -> list[list[str]]:
    """Code and name of each language that a new database knows."""
    return sorted([row["code"], row["name"]] for row in _rows("res.lang.csv"))


def countries() -> list[list[str]]:
    """Code and name of each country, in the order of the names."""
    pairs = ([row["code"], row["name"]] for row in _rows("res.country.csv"))
    return sorted(pairs, key=lambda pair: pair[1])


def _rows(name: str) -> list[dict[str, str]]:
    text = (_BASE_DATA / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def create(
    name: str,
    demo: bool,
    lang: str,
    user_password: str = "admin",  # noqa: S107 - the default of the API
    login: str = "admin",
    country_code: str | None = None,
    phone: str | None = None,
) -> None:
    """
    Make a database with the addon `base` and its administrator.

    Raises:
        DatabaseExistsError: the name is taken.
        DatabaseManagementError: name, language or country is none; nothing is made.
    """
    _check_new(name)
    _check_choice("language", lang, languages())
    _check_choice("country", country_code, countries())
    with _made(name):
        registry = modules.initialise(name, demo=demo)
        with Environment.manage(), registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {"active_test": False})
            _settle(env, lang, user_password, login, country_code, phone)


def _settle(
    env: Any, lang: str, password: str, login: str, country_code: str | None, phone: str | None
) -> None:
    user = env["res.users"].browse(SUPERUSER_ID)
    env["res.lang"].search([("code", "=", lang)]).write({"active": True})
    user.write({"login": login, "password": password, "lang": lang})
    company = user.company_id.partner_id
    if country_code:
        country = env["res.country"].search([("code", "=", country_code.upper())])
        company.write({"country_id": country.id})
    if phone:
        company.write({"phone": phone})


def duplicate(source: str, name: str) -> None:
    """Copy a database; the copy is asleep. The sessions in the source are ended."""
    _check_new(name)
    _check_there(source)
    administration.end_sessions(source)
    sql.create_database(name, template=source)


def drop(name: str) -> bool:
    """Drop a database; says whether there was one."""
    if not exists(name):
        return False
    Registry.delete(name)
    sql.drop_database(name)
    return True


def dump(name: str, file_format: str, seconds: float) -> bytes:
    """The content of a database, as one file."""
    _check_there(name)
    return dumps.dump(name, file_format, seconds)


def restore(name: str, data: bytes, seconds: float) -> None:
    """Make a database from a dump; it is asleep."""
    _check_new(name)
    with _made(name):
        dumps.load(name, data, seconds)


def rename(old: str, new: str) -> None:
    """Give a database another name; the sessions in it are ended."""
    _check_there(old)
    _check_new(new)
    Registry.delete(old)
    administration.rename_database(old, new)


def migrate(databases: Sequence[str]) -> None:
    """Update `base`, and so all that stands on it, in each database."""
    for name in databases:
        _check_there(name)
    for name in databases:
        modules.update(name, ["base"])


@contextmanager
def _made(name: str) -> Iterator[None]:
    """An empty database, to be filled in the block; no half of one is left behind."""
    sql.create_database(name)
    try:
        yield
    except BaseException:
        drop(name)
        raise


def _check_new(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise DatabaseManagementError(
            f"A database cannot be named {name!r}: a name has 2 to 63 letters without accents, "
            "digits, dots, dashes and underscores, and starts with a letter or digit."
        )
    if exists(name):
        raise DatabaseExistsError(f"database {name!r} already exists!")


def _check_there(name: Any) -> None:
    if not isinstance(name, str) or not exists(name):
        raise DatabaseMissingError(f"There is no database {name!r} here. Name another one.")


def _check_choice(what: str, code: Any, known: Sequence[Sequence[str]]) -> None:
    codes = [pair[0] for pair in known]
    if code and (str(code).upper() if what == "country" else code) not in codes:
        raise DatabaseManagementError(f"There is no {what} {code!r}. See what the server lists.")
