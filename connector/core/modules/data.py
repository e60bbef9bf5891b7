"""Data files of an addon: CSV, XML and SQL, in the order of its manifest."""

import logging
from collections.abc import Iterable
from typing import Any

from connector.core.exceptions import CoreError, DataFileError
from connector.core.modules import data_csv, data_xml
from connector.core.modules.data_target import Target
from connector.core.modules.graph import Node
from connector.core.sql import errors

logger = logging.getLogger(__name__)


def load_files(env: Any, node: Node, names: Iterable[str], *, new: bool, noupdate: bool) -> None:
    """
    Load files of an addon.

    Raises:
        DataFileError: a file is missing, of an unknown kind, or one of its records is wrong.
    """
    for name in names:
        path = node.manifest.path / name
        logger.info("Loading data", extra={"addon": node.name, "file": name})
        load_file(Target(env, node.name, path, new, noupdate, node.manifest.path))


def load_file(target: Target) -> None:
    """Load one file; see `load_files`."""
    path = target.path
    if not path.is_file():
        raise DataFileError(
            f"The addon {target.module!r} names a data file that is not there: {path}."
        )
    try:
        match path.suffix:
            case ".csv":
                data_csv.load(target)
            case ".xml":
                data_xml.load(target)
            case ".sql":
                target.env.cr.execute(path.read_text(encoding="utf-8"))
            case _:
                raise DataFileError(f"{path}: the kind {path.suffix!r} is not csv, xml or sql.")
        target.env.flush()  # what a record breaks is told with its file
    except (
        CoreError,
        OSError,
        UnicodeDecodeError,
        errors.DataError,
        errors.IntegrityError,
        errors.ProgrammingError,
    ) as error:
        if isinstance(error, DataFileError) and str(error).startswith(str(path)):
            raise
        raise DataFileError(f"{path}: {error}") from error
