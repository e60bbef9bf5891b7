"""`connector config show` as a user sees it."""

from click.testing import CliRunner

from connector import config as configuration
from connector.cli.config import config


def test_show_tells_value_and_place_and_hides_secrets(monkeypatch):
    """Each value stands with the place it came from; a secret is three stars."""
    environ = {"CONNECTOR_WORKERS": "5", "CONNECTOR_DB_PASSWORD": "s3cret"}
    monkeypatch.setattr(configuration, "_current", configuration.Config.load(environ=environ))

    out = CliRunner().invoke(config, ["show"]).output

    lines = {line.split()[1]: line.split() for line in out.splitlines()}
    assert lines["workers"] == ["queue", "workers", "5", "CONNECTOR_WORKERS"]
    assert lines["db_password"] == ["options", "db_password", "***", "CONNECTOR_DB_PASSWORD"]
    assert lines["db_maxconn"] == ["options", "db_maxconn", "64", "default"]
    assert "s3cret" not in out
