"""What one server serves, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass

from connector.config import Config

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the entry point decides; nothing changes it while the server runs."""

    #: The databases that may be called; the first one serves callers that name none.
    databases: tuple[str, ...] = ()
    #: Whether databases are listed and managed; then every database of the server may be called.
    list_db: bool = False
    isolation_level: str = "repeatable read"
    #: Synchronous calls at work at once; the others wait.
    threads: int = 16
    #: Bytes of the largest request.
    max_request_bytes: int = 128 * MEBIBYTE
    #: Seconds that a caller may take to send a request.
    receive_seconds: float = 60.0
    #: Seconds that a call of a method may take.
    call_seconds: float = 120.0
    #: Seconds that a call of the service `db` may take.
    management_seconds: float = 3600.0
    #: Seconds without a call after which a session of the web routes ends.
    session_seconds: float = 7 * 24 * 3600.0
    #: Whether a password found right is known again without hashing it anew.
    caches_passwords: bool = True

    @classmethod
    def of(cls, config: Config, databases: tuple[str, ...], **limits: float) -> Settings:
        """The settings that *config* makes, with other limits where they are given."""
        return cls(
            databases=databases,
            list_db=config.list_db,
            isolation_level=config.isolation_level,
            **limits,  # type: ignore[arg-type]
        )

    def may_call(self, database: str) -> bool:
        """Whether the API reaches *database* at all."""
        return self.list_db or database in self.databases

    @property
    def default_database(self) -> str | None:
        """The database of callers that name none."""
        return self.databases[0] if self.databases else None
