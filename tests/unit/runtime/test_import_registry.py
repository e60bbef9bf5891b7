"""Which modules were asked about."""

import pytest

from connector.runtime import already_imported, clear_import_registry


@pytest.fixture(autouse=True)
def _fresh():
    clear_import_registry()
    yield
    clear_import_registry()


def test_first_question_is_answered_no():
    """The first question about a module is answered no, every later one yes."""
    assert not already_imported("shop")
    assert already_imported("shop")
    assert already_imported("shop")


def test_only_the_last_part_counts():
    """A module asked about by a dotted name is the one of the short name."""
    assert not already_imported("openerp.addons.shop")
    assert already_imported("shop")
    assert already_imported("odoo.addons.shop")
    assert not already_imported("shop.models")


def test_clearing_forgets():
    """After clearing, the first answer is no again."""
    already_imported("shop")

    clear_import_registry()

    assert not already_imported("shop")
