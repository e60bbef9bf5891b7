"""`connector lint` names what would not run."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.cli.lint import lint
from connector.cli.lint_moves import MODULES
from connector.cli.lint_rules import findings_in


@pytest.fixture(autouse=True)
def _classes_belong_to_shop():
    """What is imported here belongs to its own addon."""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "from openerp.addons.connector.checkpoint import checkpoint",
            "from connector import check",
        ),
        ("import openerp.addons.connector.backend as b", "write import connector.backend as b"),
        ("import openerp", "write import connector.core as openerp"),
        (
            "from openerp import fields as f\nf.Monetary()",
            "connector.core.fields has no 'Monetary'",
        ),
        ("from connector.core import api\n@api.v7\ndef f(): pass", "has no 'v7'"),
        ("from connector.connector import Nothing", "has no 'Nothing'"),
        ("from openerp.osv import orm", "no module connector.core.osv"),
        ("from odoo.addons.component.core import Component", "No addon 'component' is found"),
        ("from connector.addons.component import core", "No addon 'component' is found"),
        ("import openerp.tests.common as c\nc.SingleTransactionCase", "has no 'SingleTransaction"),
        ("import urllib2", "urllib.request"),
        ("from itertools import izip", "write zip"),
        ("import sys\nsys.maxint", "write sys.maxsize"),
        ("for n in xrange(3): pass", "write range"),
        ("reduce(max, [1])", "write functools.reduce"),
        ("{}.keys()[0]", "no list in Python 3"),
        ("{}.keys().sort()", "no list in Python 3"),
        ("{}.items() + {}.items()", "no list in Python 3"),
        ("map(str, [])[0]", "no list in Python 3"),
        ("sorted([], cmp=f)", "functools.cmp_to_key"),
        ("'x'.encode('base64')", "encodes no text"),
        ("try: pass\nexcept ValueError as e: print(e.message)", "write str(e)"),
        ("class A:\n    def __nonzero__(self): pass", "write __bool__"),
        ("class A:\n    __metaclass__ = M", "does nothing"),
        ("self.pool['res.partner']", "self.env[model]"),
        ("record._model._name", "_model is gone"),
        ("connector_env.set_lang('sv_SE')", "get_environment(..., lang=...)"),
        ("from openerp.addons.connector.unit.mapper import mapping", "from connector.unit.mapper"),
        ("from odoo.addons.connector.connector import Binder", "from connector.connector"),
        ("from openerp.addons.connector.connector import Nothing", "has no 'Nothing'"),
        ("from openerp import models, fields", "from connector.core import"),
        ("from openerp.addons.connector.jobrunner import runner", "has no 'runner'"),
        ("import openerp.netsvc", "no module connector.core.netsvc"),
        ("print 'hello'", "not Python 3"),
        ("x = unicode(1)", "write str"),
        ("for a in {}.iteritems(): pass", "write items"),
        ("class A:\n    _columns = {}", "API before 8.0"),
        ("class A:\n    _name = 'a'\n    def write(self, cr, uid, ids): pass", "before 8.0"),
        ("self.pool.get('res.partner')", "self.env[model]"),
    ],
)
def test_old_line_is_named(line: str, said: str) -> None:
    """
    A line that would not run is named with what to write instead.
    """
    assert any(said in finding.text for finding in findings_in(line))


@pytest.mark.parametrize(
    "source",
    [
        "self.session.search('res.partner', [])",
        "from connector.core import fields\ndef run(binding, fields=None): fields.Monetary",
        "from functools import reduce\nreduce(max, [1])",
        "try:\n    unicode\nexcept NameError:\n    unicode = str",
        "def f(file): return file.read()",
        "list({}.keys())[0]",
        "range(3)[0]",
        "names['keys']()['x']",
        "for e in events: e.message",
        "self._model_name",
        "class Session:\n    def __init__(self, cr, uid): pass",
        "from .binder import Binder",
        "import json, requests",
    ],
)
def test_line_that_runs_is_passed_over(source: str) -> None:
    """
    What runs here is not named, however like an old line it looks.
    """
    assert findings_in(source) == []


def test_what_runs_is_passed_over(tmp_path: Path) -> None:
    """
    The example and an importer have nothing to change, nor has an addon of an author, read along.
    """
    example = Path(__file__).parents[3] / "connector_example"
    (tmp_path / "coffee").mkdir()
    (tmp_path / "coffee" / "__openerp__.py").write_text("{'depends': ['connector']}")
    module = tmp_path / "coffee" / "own.py"
    module.write_text("from openerp.addons.coffee.backend import coffee\n")
    units = Path(__file__).parents[3] / "connector" / "unit" / "importer.py"
    answer = CliRunner().invoke(lint, [str(example), str(units), str(tmp_path), str(module)])

    assert (answer.exit_code, answer.output) == (0, "Nothing found.\n")
    assert CliRunner().invoke(lint, [str(example / "nothing.py")]).exit_code == 2


def test_manifest_data_and_models_are_looked_at(tmp_path: Path) -> None:
    """
    Addons and models that are nowhere, and data that would not load, are named with their lines.
    """
    files = {
        "__openerp__.py": """{
            'name': 'Coffee',
            'depends': ['connector', 'mail'],
            'data': ['views.xml', 'gone.csv', 'setup.yml', 'ir.rule.csv', 'sale.order.csv'],
        }""",
        "views.xml": """<openerp><data>
            <record id="view" model="ir.ui.view"><field name="name">x</field></record>
            <menuitem id="menu"/>
            <record id="category" model="res.partner.category"/>
        </data></openerp>""",
        "ir.rule.csv": "id",
        "sale.order.csv": "id",
        "model.py": """from connector.core import fields, models
class Order(models.Model):
    _name = "coffee.order"
    _inherit = ["mail.thread", "external.binding"]
    order_id = fields.Many2one("sale.order")
    partner_id = fields.Many2one(comodel_name="res.partner")
    again_id = fields.Many2one("coffee.order")
""",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    output = CliRunner().invoke(lint, [str(tmp_path)]).output

    assert [line.removeprefix(f"{tmp_path}/") for line in output.splitlines()] == [
        "__openerp__.py:3: No addon 'mail' is found. Install it, put its folder on addons_path, or "
        "do without.",
        "__openerp__.py:4: The data file gone.csv is not there.",
        "__openerp__.py:4: setup.yml is of an unknown kind: known are .csv, .sql, .xml.",
        "model.py:4: No model 'mail.thread': no addon that is found declares it.",
        "model.py:5: No model 'sale.order': no addon that is found declares it.",
        "sale.order.csv:1: No model 'sale.order': no addon that is found declares it.",
        "views.xml:2: No model 'ir.ui.view': no addon that is found declares it. Take the record "
        "out.",
        "views.xml:3: <menuitem> is not read here, only <data>, <delete>, <function>, <record>. "
        "Take it out.",
        "8 findings",
    ]


def test_part_of_an_addon_is_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder or file of an addon knows the addon around it, and is the only thing looked at.
    """
    (tmp_path / "__openerp__.py").write_text("{'depends': ['mail']}")
    (tmp_path / "unit").mkdir()
    (tmp_path / "model.py").write_text("class A:\n    _name = 'coffee.order'\n")
    line = f"from openerp.addons.{tmp_path.name} import x\nfields.Many2one('coffee.order')\n"
    (tmp_path / "unit" / "mapper.py").write_text(line)
    monkeypatch.chdir(tmp_path)

    for path in ("unit", "unit/mapper.py", str(tmp_path / "unit")):
        assert CliRunner().invoke(lint, [path]).output == "Nothing found.\n"
    assert "__openerp__.py:1: No addon 'mail'" in CliRunner().invoke(lint, ["."]).output


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{'depends': 'connector'}", "'depends' must be a list"),
        ("{'nonsense': 1}", "unknown keys 'nonsense'"),
        ("nothing", "no literal Python dictionary"),
    ],
)
def test_manifest_that_cannot_be_read_is_named(tmp_path: Path, manifest: str, said: str) -> None:
    """
    A manifest that would stop the addon is a finding, not a failure of the command.
    """
    (tmp_path / "__openerp__.py").write_text(manifest)

    answer = CliRunner().invoke(lint, [str(tmp_path)])

    assert answer.exit_code == 1
    assert said in answer.output


def test_page_has_every_module_that_moves() -> None:
    """
    The table of the page on moving a connector is the one that the command goes by.
    """
    page = Path(__file__).parents[3] / "docs/howto/move-an-8.0-connector.md"
    rows = re.findall(r"^\| `(openerp[\w.]*)` \| `([\w.]+)` \|$", page.read_text(), re.M)

    assert dict(rows) == MODULES
