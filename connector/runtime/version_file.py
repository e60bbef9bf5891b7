"""The file that holds the version of a deployed system's code."""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

NAME = "VERSION.txt"


def path_in(directory: str | os.PathLike[str]) -> str:
    """Where the file of the system in *directory* is."""
    return os.path.join(os.path.abspath(directory), NAME)


def read(path: str) -> str | None:
    """The first line that says something before a `#`; None where there is none."""
    try:
        with open(path, encoding="utf-8") as lines:
            told = (line.partition("#")[0].strip() for line in lines)
            return next(filter(None, told), None)
    except (OSError, UnicodeDecodeError) as error:
        logger.info("No package version in %s: %s", path, error)
        return None
