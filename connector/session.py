"""The session a unit or a job works in: one cursor, one user, one context."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from connector.core.environment import Environment
from connector.core.registry import Registry
from connector.deprecate import log_deprecate

logger = logging.getLogger(__name__)

#: A recordset: the registry makes its class, so only the database knows its attributes.
Recordset: TypeAlias = Any

#: Who answers `session.commit()` in place of the cursor, per cursor.
_checkpoints: WeakKeyDictionary[Any, Callable[[], None]] = WeakKeyDictionary()


@contextmanager
def checkpoints_by(cr: Any, checkpoint: Callable[[], None]) -> Iterator[None]:
    """
    Let *checkpoint* answer every `session.commit()` on this cursor.

    A job's runner owns its transaction: it verifies its fence before it commits and takes the
    record locks again afterwards.  The cursor carries that, not a session, because units derive
    sessions freely.
    """
    _checkpoints[cr] = checkpoint
    try:
        yield
    finally:
        _checkpoints.pop(cr, None)


class ConnectorSession:
    """
    A cursor, a user and a context, kept in one `env`.

    Units share the session object, so a change of user or context made with `change_user` or
    `change_context` is seen by all of them until the `with` block ends.
    """

    def __init__(self, cr: Any, uid: int, context: Mapping[str, Any] | None = None) -> None:
        self.env: Any = Environment(cr, uid, dict(context or {}))

    @classmethod
    def from_env(cls, env: Any) -> ConnectorSession:
        """Give a session on an existing environment: its cursor, cache and context."""
        session = cls.__new__(cls)
        session.env = env
        return session

    @property
    def cr(self) -> Any:
        return self.env.cr

    @property
    def uid(self) -> int:
        return int(self.env.uid)

    @property
    def context(self) -> Mapping[str, Any]:
        context: Mapping[str, Any] = self.env.context
        return context

    @property
    def pool(self) -> Any:
        """The registry of the database, under its 8.0 name."""
        return self.env.registry

    @contextmanager
    def change_user(self, uid: int) -> Iterator[None]:
        """Work as another user inside the `with` block."""
        with self._changed(self.env(user=uid)):
            yield

    @contextmanager
    def change_context(self, *args: Mapping[str, Any], **kwargs: Any) -> Iterator[None]:
        """Replace the context by a mapping, if one is given, and merge the keywords over it."""
        base = args[0] if args else self.context
        with self._changed(self.env(context={**base, **kwargs})):
            yield

    @contextmanager
    def _changed(self, env: Any) -> Iterator[None]:
        previous = self.env
        self.env = env
        try:
            yield
        finally:
            self.env = previous

    def commit(self) -> None:
        """
        Commit; in a job, ask its runner for a checkpoint.

        A thread that a test marks with an attribute `testing` commits nothing.
        """
        if getattr(threading.current_thread(), "testing", False):
            return
        checkpoint = _checkpoints.get(self.cr)
        if checkpoint is None:
            self.cr.commit()
        else:
            checkpoint()

    def rollback(self) -> None:
        """Undo the transaction and forget all that was read in it."""
        self.cr.rollback()

    def close(self) -> None:
        """Close the cursor; what is not committed is lost."""
        self.cr.close()

    def is_module_installed(self, module_name: str) -> bool:
        """Say whether an addon is installed in this database."""
        return module_name in self.env.registry._init_modules

    # -- shortcuts of 8.0, deprecated --------------------------------------------------------

    def search(
        self,
        model: str,
        domain: Sequence[Any],
        limit: int | None = None,
        offset: int = 0,
        order: str | None = None,
    ) -> list[int]:
        """Deprecated: give the ids of the records that a domain finds."""
        log_deprecate("session.search is deprecated: use session.env[model].search")
        found = self.env[model].search(domain, limit=limit, offset=offset, order=order)
        return list(found.ids)

    def browse(self, model: str, ids: int | Sequence[int]) -> Recordset:
        """Deprecated: give records."""
        log_deprecate("session.browse is deprecated: use session.env[model].browse")
        return self.env[model].browse(ids)

    def read(self, model: str, ids: int | Sequence[int], fields: Sequence[str]) -> Any:
        """Deprecated: give values of records, those of one record where *ids* is an id."""
        log_deprecate("session.read is deprecated: use session.env[model].browse(ids).read")
        rows = self.env[model].browse(ids).read(list(fields))
        return rows[0] if isinstance(ids, int) and rows else rows

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Deprecated: create a record and give its id."""
        log_deprecate("session.create is deprecated: use session.env[model].create")
        return int(self.env[model].create(values).id)

    def write(self, model: str, ids: int | Sequence[int], values: Mapping[str, Any]) -> bool:
        """Deprecated: write records."""
        log_deprecate("session.write is deprecated: use session.env[model].browse(ids).write")
        return bool(self.env[model].browse(ids).write(values))

    def unlink(self, model: str, ids: int | Sequence[int]) -> bool:
        """Deprecated: delete records."""
        log_deprecate("session.unlink is deprecated: use session.env[model].browse(ids).unlink")
        return bool(self.env[model].browse(ids).unlink())

    def __repr__(self) -> str:
        return (
            f"<Session db_name: {self.cr.dbname}, uid: {self.uid}, context: {dict(self.context)}>"
        )


class ConnectorSessionHandler:
    """Opens sessions on a database and ends their transactions."""

    def __init__(self, db_name: str, uid: int, context: Mapping[str, Any] | None = None) -> None:
        self.db_name = db_name
        self.uid = uid
        self.context: dict[str, Any] = dict(context or {})

    @contextmanager
    def session(self, isolation_level: str | None = None) -> Iterator[ConnectorSession]:
        """
        Give a session on a cursor of its own, at the isolation level of scripts or at another.

        The transaction is committed when the block ends, rolled back when it raises; the cursor
        is closed either way.  A change of the registry made by another process is taken over
        before, one made here is signalled after.
        """
        with Environment.manage():
            registry = Registry(self.db_name)
            registry.check_signaling()
            registry = Registry(self.db_name)
            with registry.cursor(isolation_level) as cr:
                yield ConnectorSession(cr, self.uid, self.context)
            registry.signal_caches_change()
