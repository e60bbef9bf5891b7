"""Manifests of addons."""

import pytest

from connector.core import addon
from connector.core.exceptions import ManifestError, UnknownModuleError
from connector.core.modules.manifest import forget_manifests, manifest_of, parse_version


@pytest.fixture
def write(tmp_path):
    def write(text, file="__manifest__.py"):
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / file).write_text(text)
        addon.use_addons_path([tmp_path])

    yield write
    addon.use_addons_path([])
    forget_manifests()


def test_defaults(write):
    """
    An empty manifest is a valid one: it needs base, and loads nothing.
    """
    write("{}", "__openerp__.py")
    manifest = manifest_of("shop")
    assert (manifest.depends, manifest.data, manifest.version) == (("base",), (), "1.0")
    assert manifest.installable
    assert not manifest.auto_install


def test_old_keys(write):
    """
    Keys of 8.0 are read as what they are called today.
    """
    write("{'active': True, 'init_xml': ['a.xml'], 'update_xml': ['b.xml'], 'data': ['c.xml']}")
    manifest = manifest_of("shop")
    assert manifest.auto_install
    assert manifest.data == ("a.xml", "b.xml", "c.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os", "no literal Python dictionary"),
        ("[1]", "no literal Python dictionary"),
        ("{'name': open('x')}", "no literal Python dictionary"),
        ("{'depends': 'base'}", "'depends' must be a list"),
        ("{'dependz': []}", "unknown keys 'dependz'"),
    ],
)
def test_wrong_manifest(write, text, message):
    """
    A manifest that cannot be right is an error that gives the file and what is wrong.
    """
    write(text)
    with pytest.raises(ManifestError, match=message) as caught:
        manifest_of("shop")
    assert "__manifest__.py" in str(caught.value)


def test_unknown_addon():
    """
    An unknown addon is named, beside those that are found.
    """
    with pytest.raises(UnknownModuleError, match=r"'nowhere'.*base"):
        manifest_of("nowhere")


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), ("1.0", "1.0.1"), ("8.0.1.0", "9.0.1.0"), ("", "0.1")],
)
def test_order_of_versions(older, newer):
    """
    Versions compare by the numbers they are made of.
    """
    assert parse_version(older) < parse_version(newer)


def test_trailing_zeros():
    """
    Zeros at the end of a version change nothing.
    """
    assert parse_version("1.0.0") == parse_version("1")
