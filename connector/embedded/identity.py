"""
Who the servers run as.

    a user                      that user
    root                        a private uid; PostgreSQL refuses uid 0
    root that may not change    `nobody` of a user namespace of its own, which is
    its uid (rootless box)      the same uid to the kernel: a last choice
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

from connector.exception import ServerUnreachableError

NOBODY = 65534
#: systemd's range for uids that nobody owns.
FIRST_PRIVATE_UID, PRIVATE_UIDS = 61184, 4000
NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]

_LEAKING = ("PG", "LC_", "LD_", "DYLD_")
_LEAKING_NAMES = frozenset({"LANG", "LANGUAGE", "TZ", "HOME", "DATABASE_URL", "REDIS_URL"})


class Identity:
    """
    The uid of the servers below one directory, and how a command becomes it.

    No account is made and no other directory's mode is changed: only initdb needs a passwd
    entry, so root runs it as `nobody` and gives the result to the private uid.
    """

    def __init__(self, root: Path) -> None:
        self.uid, self.gid = os.geteuid(), os.getegid()
        #: Words put before a server's command.
        self.prefix: list[str] = []
        #: Are commands run as another uid than this process's?
        self.is_dropped = self.uid == 0
        if self.is_dropped and not _can_drop(root):
            self.is_dropped, self.prefix = False, _namespace()
        elif self.is_dropped:
            self.uid, self.gid = _private_ids(root)

    def arguments(self, user: str | None = None) -> dict[str, Any]:
        """Arguments for `subprocess` that make a command run as this identity, or as *user*."""
        if not self.is_dropped:
            return {}
        entry = pwd.getpwnam(user) if user else None
        uid, gid = (entry.pw_uid, entry.pw_gid) if entry else (self.uid, self.gid)
        return {"user": uid, "group": gid, "extra_groups": []}

    def initdb_user(self) -> str | None:
        """An account to run initdb as, where this uid has no passwd entry."""
        if not self.is_dropped:
            return None
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return "nobody"
        return None

    def can_enter(self, path: Path) -> bool:
        command = ["test", "-x", str(path)]
        return (
            subprocess.run(  # noqa: S603 - constant command, a path as its argument
                command, cwd="/", env=clean_environment(), **self.arguments()
            ).returncode
            == 0
        )

    def own(self, path: Path) -> None:
        if self.is_dropped:
            os.chown(path, self.uid, self.gid)

    def own_tree(self, top: Path) -> None:
        for directory, _, files in os.walk(top):
            self.own(Path(directory))
            for name in files:
                self.own(Path(directory, name))

    def make_directory(self, path: Path) -> Path:
        """A directory that only this identity enters."""
        path.mkdir(mode=0o700, exist_ok=True)
        self.own(path)
        path.chmod(0o700)
        return path

    def make_log(self, path: Path) -> None:
        path.touch(mode=0o600)
        self.own(path)


def clean_environment() -> dict[str, str]:
    """The environment without what changes a server's locale, time zone, libraries or target."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEAKING) and name not in _LEAKING_NAMES
    }
    return {**kept, "LC_ALL": "C"}


def _private_ids(root: Path) -> tuple[int, int]:
    data, wanted = root / "pg", os.environ.get("CONNECTOR_RUN_AS")
    if data.exists() and data.stat().st_uid:
        return data.stat().st_uid, data.stat().st_gid  # stay with who owns the data
    if wanted:
        try:
            entry = pwd.getpwuid(int(wanted)) if wanted.isdigit() else pwd.getpwnam(wanted)
        except KeyError:
            raise ServerUnreachableError(
                f"CONNECTOR_RUN_AS names the user {wanted!r}, which does not exist here."
            ) from None
        return entry.pw_uid, entry.pw_gid
    digest = hashlib.sha256(str(root).encode()).hexdigest()
    uid = FIRST_PRIVATE_UID + int(digest, 16) % PRIVATE_UIDS
    return uid, uid


def _can_drop(root: Path) -> bool:
    probe = root / f".probe.{os.getpid()}"
    try:
        probe.touch()
        os.chown(probe, NOBODY, NOBODY)
        done = subprocess.run(
            ["true"],  # noqa: S607 - whichever is on PATH
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
        )
        return done.returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        probe.unlink(missing_ok=True)


def _namespace() -> list[str]:
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True)  # noqa: S603 - constant
    except (OSError, subprocess.SubprocessError):
        raise ServerUnreachableError(
            "PostgreSQL refuses to run as root, and this root may neither change its uid nor make "
            "a user namespace. Run as a normal user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return NAMESPACE
