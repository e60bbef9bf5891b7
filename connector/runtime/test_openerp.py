"""Runs the tests of the server's addons: `start_openerp` with the options of a test run."""

from __future__ import annotations

import os
from typing import Any

from connector.runtime import start_openerp

__all__ = ["main"]


def main(
    starter: str | os.PathLike[str] | None,
    conf: str | os.PathLike[str] | None,
    version: tuple[int, ...] = (),
) -> Any:
    """Run *starter*, without one `connector test`, and return its exit code."""
    return start_openerp.main(starter, conf, version=version or None, just_test=True)
