"""`connector demo --odoo`, as a user runs it, on servers of its own."""

import os
import subprocess
import sys

from connector.embedded import Services, keeper


def test_partners_come_from_another_database_and_go_back(servers_home):
    """The demo imports, imports what was changed, exports, and finds no difference."""
    given = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "connector.cli.main", "demo", "--odoo", "-n", "1"],
            env=given | {"CONNECTOR_DATA_DIR": str(servers_home)},
            capture_output=True,
            text=True,
            timeout=180,
        )
    finally:
        keeper.stop_servers(Services(servers_home).layout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "110 created" in done.stdout
    assert "5 updated" in done.stdout
    assert done.stdout.count("no differences") == 3
