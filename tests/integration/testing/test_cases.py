"""unittest's cases get their database from the plugin too."""

import pytest

from connector.core.exceptions import CursorError
from connector.core.testing import CommittedCase, TransactionCase

pytestmark = pytest.mark.addons("base")


class TestTransactionCase(TransactionCase):
    def test_work_is_rolled_back(self):
        """The case works in a database with the addons of its mark, and leaves nothing there."""
        assert not self.env["res.partner"].search([("name", "=", "Left by a case")])
        self.env["res.partner"].create({"name": "Left by a case"})
        self.cr.commit()

    test_work_is_rolled_back_again = test_work_is_rolled_back

    def test_second_cursor_is_refused(self):
        """A second cursor raises: it would not see the first one's work."""
        with pytest.raises(CursorError):
            self.registry.cursor()


class TestCommittedCase(CommittedCase):
    def test_commits_are_real(self):
        """What one environment commits, another sees, in a copy whose jobs run."""
        with self.open_env() as env:
            env["res.partner"].create({"name": "Seen"})
        with self.open_env() as env:
            assert len(env["res.partner"].search([("name", "=", "Seen")])) == 1
        assert not self.registry.asleep()
