"""The frozen Config, made of command line, CONNECTOR_<KEY> variables, one INI file and defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from connector.config_sources import read_command_line, read_environ, read_file
from connector.exception import ConfigurationError
from connector.server_url import database_of, with_parameters, without_password

ISOLATION_LEVELS = ("read committed", "repeatable read")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

#: What 8.0 writes into its files for "not set".
UNSET = frozenset({"", "false", "none"})
TRUE = frozenset({"1", "true", "yes", "on", "all"})
FALSE = frozenset({"0", "false", "no", "off", "", "none"})

_SERVER_KEYS = ("db_host", "db_port", "db_user", "db_password")
_LIBPQ_NAMES = dict(zip(_SERVER_KEYS, ("host", "port", "user", "password"), strict=True))


def _text(value: str) -> str | None:
    return None if value.lower() in UNSET else value


def _whole(value: str) -> int | None:
    if value.lower() in UNSET:
        return None
    number = int(value)
    if number < 0:
        raise ValueError("it is below zero")
    return number


def _flag(value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ValueError("it is neither true nor false")


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        spoken = value.lower().replace("_", " ")
        if spoken not in allowed:
            raise ValueError(f"it is none of: {', '.join(allowed)}")
        return spoken

    return read


def _paths(value: str) -> tuple[str, ...]:
    parts = (part.strip() for part in value.split(","))
    return tuple(os.path.abspath(os.path.expanduser(part)) for part in parts if _text(part))


def _directory(value: str) -> str | None:
    return os.path.abspath(os.path.expanduser(value)) if _text(value) else None


def _url_of(what: str, *schemes: str) -> Callable[[str], str | None]:
    def read(value: str) -> str | None:
        if not value:
            return None
        if urlsplit(value).scheme not in schemes:
            raise ValueError(f"a {what} URL begins with {' or '.join(s + '://' for s in schemes)}")
        return value

    return read


def _option(
    read: Callable[[str], Any], default: Any, *, section: str = "options", secret: bool = False
) -> Any:
    return field(default=default, metadata={"read": read, "section": section, "secret": secret})


@dataclass(frozen=True, kw_only=True, repr=False)
class Config:
    """
    What one process works with; nothing changes it afterwards.

    Build it with `load`. `repr` and `shown` hide secrets; `sources` tells where each value is from.
    """

    #: Default database. Without it, the one that DATABASE_URL names.
    db_name: str | None = _option(_text, None)
    #: PostgreSQL server: host name, or directory of its socket.
    db_host: str | None = _option(_text, None)
    db_port: int | None = _option(_whole, None)
    db_user: str | None = _option(_text, None)
    db_password: str | None = _option(_text, None, secret=True)
    #: Most connections of one process to the server.
    db_maxconn: int = _option(_whole, 64)
    #: Folders that hold addons, before those found by entry points.
    addons_path: tuple[str, ...] = _option(_paths, ())
    without_demo: bool = _option(_flag, True)
    #: Master password of the database services; without it they are off.
    admin_passwd: str | None = _option(_text, None, secret=True)
    list_db: bool = _option(_flag, False)
    #: Registries kept in memory; without it, as many as fit limit_memory_soft.
    registry_lru_size: int | None = _option(_whole, None)
    #: Bytes of memory after which a process ends itself at the next good moment.
    limit_memory_soft: int = _option(_whole, 2048 * 1024 * 1024)
    log_level: str = _option(_one_of(*LOG_LEVELS), "info")
    logfile: str | None = _option(_directory, None)
    #: Home of the embedded servers and of kept files; see `home`.
    data_dir: str | None = _option(_directory, None)
    #: Isolation of scripts, calls and loading; jobs have `job_isolation_level`.
    isolation_level: str = _option(_one_of(*ISOLATION_LEVELS), "repeatable read")
    #: Channels with their capacities, such as `root:4,root.shop:1`.
    channels: str = _option(str, "root", section="queue")
    #: Redis or Valkey server; without it the embedded one.
    redis_url: str | None = _option(
        _url_of("Redis", "redis", "rediss", "unix"), None, section="queue", secret=True
    )
    #: Worker processes of one `connector worker`.
    workers: int = _option(_whole, 2, section="queue")
    #: Jobs after which a worker process is replaced; without it, never.
    max_jobs: int | None = _option(_whole, None, section="queue")
    #: Bytes of memory after which a worker process is replaced; without it, never.
    max_memory: int | None = _option(_whole, None, section="queue")
    #: Seconds that one job may take.
    job_timeout: int = _option(_whole, 3600, section="queue")
    #: Isolation of a job's effect. At REPEATABLE READ, constraints and reruns carry what locks do.
    job_isolation_level: str = _option(
        _one_of(*ISOLATION_LEVELS), "read committed", section="queue"
    )

    #: The file that was read, if any.
    conffile: str | None = field(default=None, compare=False)
    #: The environment's DATABASE_URL: server and default database.
    database_url: str | None = field(default=None, metadata={"secret": True})
    #: Where each value is from, by key; a key that is absent has its default.
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(
        cls,
        command_line: Mapping[str, object] | None = None,
        conffile: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Config:
        """
        Merge the four sources; the command line wins, then the environment, then *conffile*.

        A None on the command line means "not given"; conffile=None means no file.

        Raises:
            ConfigurationError: a key is unknown or out of place, a value cannot be read, or
                *conffile* cannot; the message names the place and the nearest known key.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for found in (
            read_file(conffile, OPTIONS) if conffile else {},
            read_environ(environ, OPTIONS),
            read_command_line(command_line or {}, OPTIONS),
        ):
            for key, (raw, place) in found.items():
                values[key] = _parse(key, raw, place)
                sources[key] = place
        _let_the_url_win(values, sources)
        read_from = os.path.abspath(conffile) if conffile else None
        return cls(**values, conffile=read_from, sources=MappingProxyType(sources))

    def dsn(self, db_name: str | None = None) -> str | None:
        """
        URL of the configured PostgreSQL server and of *db_name*, or of the default database.

        None means that no server is configured and the embedded one serves.
        """
        given = {
            libpq: str(getattr(self, key))
            for key, libpq in _LIBPQ_NAMES.items()
            if getattr(self, key) is not None
        }
        if not given and self.database_url is None:
            return None
        return with_parameters(
            self.database_url or "postgresql:///", db_name or self.db_name, given
        )

    @property
    def home(self) -> Path:
        """The data directory: `data_dir`, else the system's usual place for such data."""
        return Path(self.data_dir) if self.data_dir else default_home()

    def shown(self, key: str) -> str:
        """The value of *key* as text, fit for a terminal or a log: secrets are hidden."""
        value: Any = self.home if key == "data_dir" else getattr(self, key)
        if value is None:
            return ""
        if key in ("database_url", "redis_url"):
            return without_password(value)
        if key in SECRETS:
            return "***"
        return ",".join(value) if isinstance(value, tuple) else str(value)

    def __repr__(self) -> str:
        told = (f"{key}={self.shown(key)!r}" for key in self.sources)
        return f"Config({', '.join(told)})"


OPTIONS = {f.name: f.metadata["section"] for f in fields(Config) if "section" in f.metadata}
SECRETS = frozenset(f.name for f in fields(Config) if f.metadata.get("secret"))
_READERS = {f.name: f.metadata["read"] for f in fields(Config) if "read" in f.metadata}
_DEFAULTS = {f.name: f.default for f in fields(Config)}
_READERS["database_url"] = _url_of("PostgreSQL", "postgresql", "postgres")


def default_home() -> Path:
    """Root's servers run under a uid of their own, which cannot enter /root."""
    if os.geteuid() == 0:
        return Path("/var/lib/connector")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/connector"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "connector"


def _parse(key: str, raw: str, place: str) -> Any:
    shown = "" if key in SECRETS else f" {raw!r}"
    try:
        value = _READERS[key](raw)
    except ValueError as error:
        raise ConfigurationError(f"Wrong value{shown} for {key!r} in {place}: {error}.") from None
    return _DEFAULTS[key] if value is None else value


def _let_the_url_win(values: dict[str, Any], sources: dict[str, str]) -> None:
    """
    DATABASE_URL replaces the server that the file describes, as a whole.

    A file's password must not be sent to the server of another's URL.
    """
    if not values.get("database_url"):
        return
    weaker = (*_SERVER_KEYS, "db_name") if database_of(values["database_url"]) else _SERVER_KEYS
    for key in weaker:
        if sources.get(key, "").endswith(" [options]"):
            del values[key], sources[key]


_current: Config | None = None


def use(config: Config) -> None:
    """Make *config* the one that `current` answers in this process."""
    global _current
    _current = config


def current() -> Config:
    """The configuration in use; without one, that of the environment and of CONNECTOR_CONFIG."""
    global _current
    if _current is None:
        _current = Config.load(conffile=os.environ.get("CONNECTOR_CONFIG"))
    return _current
