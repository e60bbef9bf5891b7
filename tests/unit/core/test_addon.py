"""To which addon something belongs."""

from pathlib import Path

import pytest

import connector
from connector.core import addon
from connector.core.exceptions import DuplicateAddonError


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("connector.core.addons.base.models.res_users", "base"),
        ("connector.models.backend", "connector"),
        ("connector", "connector"),
        ("queue_worker.runner", "queue_worker"),
        ("odoo.addons.sale.models.order", "sale"),
        ("acme_sync.shop", "acme_sync"),
        ("connectors", "connectors"),
    ],
)
def test_addon_of_a_module(module, expected):
    """
    The longest package of a found addon decides, then the part after `.addons.`, then the first.
    """
    with addon.declared_nowhere():
        assert addon.addon_of(module) == expected


def test_declared_in():
    """
    In the block of `declared_in` everything belongs to that addon; inside, the innermost wins.
    """
    with addon.declared_in("shop"):
        assert addon.addon_of_object(test_declared_in) == "shop"
        with addon.declared_in("store"):
            assert addon.addon_of(__name__) == "store"
        with addon.declared_nowhere():
            assert addon.addon_of("connector.models") == "connector"
        assert addon.addon_of(__name__) == "shop"


def test_two_addons_of_one_name(tmp_path):
    """
    Two addons of one name are an error that gives both places.
    """
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "__manifest__.py").write_text("{}")
    addon.use_addons_path([tmp_path])
    try:
        with pytest.raises(DuplicateAddonError) as caught:
            addon.found_addons()
    finally:
        addon.use_addons_path([])
    assert str(folder) in str(caught.value)
    assert "connector.core.addons.base" in str(caught.value)


def test_a_folder_that_holds_the_package_itself_is_no_second_addon():
    """
    A checkout on the addons path offers its own addons, which are the packages found already.
    """
    addon.use_addons_path([Path(connector.__file__).parents[1]])
    try:
        assert addon.found_addons()["connector"] == "connector"
    finally:
        addon.use_addons_path([])
