"""Where a data file is loaded to, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.core.modules.external_ids import ExternalIds


@dataclass(frozen=True)
class Target:
    """Where a file is loaded to, and how."""

    env: Any
    module: str
    path: Path
    #: the addon is being installed, so that everything is written
    new: bool
    #: records are left as they are by later updates
    noupdate: bool
    #: the folder of the addon, out of which no file is read; by default that of the file
    root: Path | None = None

    @property
    def folder(self) -> Path:
        return (self.root or self.path.parent).resolve()

    @property
    def external_ids(self) -> ExternalIds:
        return ExternalIds(self.env)
