"""The master password."""

from __future__ import annotations

import argon2
import pytest

from connector.config import Config
from connector.core.exceptions import AccessDenied
from connector.server import master_password
from connector.server.errors import DatabaseManagementError, TooManyAttemptsError
from connector.server.master_password import MasterPassword

#: A hash says how much work it is; here that is as little as can be.
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize("value", ["söcret", QUICK.hash("söcret")], ids=["text", "hash"])
def test_a_text_or_its_hash_is_checked(value):
    """The configuration may hold the password or its hash."""
    master = MasterPassword(value)
    master.check("söcret", "here")
    for wrong in ("secret", "", None, 1, value if value != "söcret" else "x", "\ud800"):
        with pytest.raises(AccessDenied):
            MasterPassword(value).check(wrong, "here")


@pytest.mark.parametrize("value", [None, ""])
def test_without_one_nobody_passes(value):
    """No master password is no open door."""
    for given in ("", None, "admin"):
        with pytest.raises(AccessDenied):
            MasterPassword(value).check(given, "here")


def test_guessing_is_slowed_down():
    """After some wrong ones the next is not looked at for a while."""
    master = MasterPassword("right")
    for _ in range(5):
        with pytest.raises(AccessDenied):
            master.check("wrong", "guesser")
    with pytest.raises(TooManyAttemptsError):
        master.check("right", "guesser")
    master.check("right", "elsewhere")


def test_a_change_is_kept_in_the_file(tmp_path, monkeypatch):
    """The hash replaces the one line of the file, which keeps all else and its mode."""
    monkeypatch.setattr(master_password, "_hasher", QUICK)
    path = tmp_path / "connector.conf"
    path.write_text("[options]\n# mine\nadmin_passwd = old\nlist_db = True\n")
    path.chmod(0o600)
    master = MasterPassword.of(Config.load(conffile=path, environ={}))
    master.change("new one")
    with pytest.raises(AccessDenied):
        master.check("old", "here")
    master.check("new one", "here")
    text = path.read_text()
    assert text.startswith("[options]\n# mine\nadmin_passwd = $argon2")
    assert text.endswith("\nlist_db = True\n")
    assert path.stat().st_mode & 0o777 == 0o600
    MasterPassword.of(Config.load(conffile=path, environ={})).check("new one", "here")


def test_what_comes_from_elsewhere_is_not_changed():
    """A password of the environment cannot be changed, and the old one stays."""
    config = Config.load(environ={"CONNECTOR_ADMIN_PASSWD": "old"})
    master = MasterPassword.of(config)
    with pytest.raises(DatabaseManagementError, match="CONNECTOR_ADMIN_PASSWD"):
        master.change("new")
    with pytest.raises(DatabaseManagementError, match="empty"):
        master.change("")
    master.check("old", "here")
