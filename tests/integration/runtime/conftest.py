"""Sessions, against the server of the tests."""

import os
import sys

import pytest

from connector import config
from connector.core import addon, sql
from connector.core.models import MetaModel
from connector.core.registry import Registry
from connector.runtime.session import Session

MANIFEST = """{{
    "name": "Sample", "version": "{version}", "depends": ["base"],
    "data": ["data.xml"], "demo": ["demo.xml"],
}}"""
DATA = """<odoo><record id="{name}" model="ir.config_parameter">
    <field name="key">runtime.{name}</field><field name="value">{value}</field>
</record></odoo>"""


@pytest.fixture(autouse=True)
def _own_process(servers, monkeypatch):
    """The server of the tests is the configured one, and the configuration is restored."""
    monkeypatch.setenv("DATABASE_URL", servers.database_url)
    monkeypatch.setenv("REDIS_URL", servers.redis_url)
    monkeypatch.setattr(config, "_current", None)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "argv", ["program"])


@pytest.fixture
def name(servers):
    """The name of a database that is not there yet; it is dropped."""
    chosen = f"test_runtime_{os.getpid()}"
    yield chosen
    Registry.delete(chosen)
    sql.drop_database(chosen)


@pytest.fixture
def empty(name):
    """The name of an empty database."""
    sql.create_database(name)
    return name


@pytest.fixture
def session(tmp_path):
    with Session(None, tmp_path) as made:
        yield made


@pytest.fixture
def sample(tmp_path, monkeypatch):
    """Writes the addon `runtime_sample`, with a value in its data, where sessions look for it."""
    folder = tmp_path / "addons" / "runtime_sample"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()

    def write(value, version="1.0"):
        (folder / "__manifest__.py").write_text(MANIFEST.format(version=version))
        (folder / "data.xml").write_text(DATA.format(name="data", value=value))
        (folder / "demo.xml").write_text(DATA.format(name="demo", value="demo"))

    write("first")
    monkeypatch.setenv("CONNECTOR_ADDONS_PATH", str(folder.parent))
    yield write
    addon.use_addons_path(())
    MetaModel.module_to_models.pop("runtime_sample", None)
    for module in [known for known in sys.modules if known.endswith("runtime_sample")]:
        del sys.modules[module]
