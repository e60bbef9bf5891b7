"""Migration scripts: `migrations/<version>/{pre,post,end}-*.py`, run when an addon is upgraded."""

import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from connector.core.exceptions import ModuleError
from connector.core.modules.graph import Node
from connector.core.modules.manifest import parse_version
from connector.core.modules.states import State
from connector.core.sql import Cursor

logger = logging.getLogger(__name__)

Stage = Literal["pre", "post", "end"]


def migrate(cr: Cursor, node: Node, from_version: str | None, stage: Stage) -> None:
    """
    Call `migrate(cr, installed_version)` of the scripts between the two versions, in order.

    Raises:
        ModuleError: a script has no function `migrate`.
    """
    if from_version is None or node.state == State.TO_INSTALL:
        return
    for path in _scripts(node, from_version, stage):
        logger.info("Migration script", extra={"addon": node.name, "script": str(path)})
        try:
            _run(path, cr, from_version)
        except Exception as error:
            error.add_note(f"Raised by the migration script {path} of the addon {node.name!r}.")
            raise


def _scripts(node: Node, from_version: str, stage: Stage) -> Iterator[Path]:
    folder = node.manifest.path / "migrations"
    if not folder.is_dir():
        return
    start, stop = parse_version(from_version), parse_version(node.manifest.version)
    versions = sorted(
        (parse_version(path.name), path)
        for path in folder.iterdir()
        if path.is_dir() and path.name[:1].isdigit()
    )
    for version, path in versions:
        if start < version <= stop:
            yield from sorted(path.glob(f"{stage}-*.py"))


def _run(path: Path, cr: Cursor, from_version: str) -> None:
    # Not entered into sys.modules: scripts of several versions may share a name.
    spec = importlib.util.spec_from_file_location(f"migration_{path.stem.replace('-', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, "migrate", None)
    if function is None:
        raise ModuleError(f"The migration script {path} has no function migrate(cr, version).")
    function(cr, from_version)
