"""`connector lint` names what would not run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.cli.lint import lint
from connector.cli.lint_rules import findings_in


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from openerp.addons.connector.unit.mapper import mapping", "from connector.unit.mapper"),
        ("from odoo.addons.connector.connector import Binder", "from connector.connector"),
        ("from openerp.addons.connector.connector import Nothing", "has no 'Nothing'"),
        ("from openerp import models, fields", "from connector.core import"),
        ("from openerp.addons.connector.jobrunner import runner", "no module"),
        ("print 'hello'", "not Python 3"),
        ("x = unicode(1)", "write str"),
        ("for a in {}.iteritems(): pass", "write items"),
        ("class A:\n    _columns = {}", "API before 8.0"),
        ("class A:\n    def write(self, cr, uid, ids): pass", "API before 8.0"),
        ("self.session.search('res.partner', [])", "session.env[model].search()"),
        ("self.pool.get('res.partner')", "self.env[model]"),
    ],
)
def test_old_line_is_named(line: str, said: str) -> None:
    """
    A line that would not run is named with what to write instead.
    """
    assert any(said in finding.text for finding in findings_in(line))


def test_what_runs_is_passed_over(tmp_path: Path) -> None:
    """
    The example's own modules have nothing to change, nor have imports of the author's addons.
    """
    example = Path(__file__).parents[3] / "connector_example"
    module = tmp_path / "own.py"
    module.write_text("from openerp.addons.magentoerpconnect.backend import magento\n")
    answer = CliRunner().invoke(lint, [str(example / "mapper.py"), str(module)])

    assert (answer.exit_code, answer.output) == (0, "Nothing found.\n")
    assert CliRunner().invoke(lint, [str(example / "nothing.py")]).exit_code == 2
