"""
What the server says it is.

Clients choose their dialect by the series: from 10 on they use `/jsonrpc` alone, below 19 they
do not ask for the newer API.
"""

from __future__ import annotations

from typing import Any

import connector

SERIES = "17.0"
SERVER_VERSION = f"{SERIES}+connector-{connector.__version__}"
VERSION_INFO = [17, 0, 0, "final", 0, ""]
PROTOCOL_VERSION = 1


def described() -> dict[str, Any]:
    """The answer to `common.version` and `/web/webclient/version_info`."""
    return {
        "server_version": SERVER_VERSION,
        "server_version_info": VERSION_INFO,
        "server_serie": SERIES,
        "protocol_version": PROTOCOL_VERSION,
    }
