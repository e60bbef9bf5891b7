"""
Importing what changed by jobs: the window stays open until all of its records are done.

    import_changes      opens the window
    import_batch        reads its pages, a job after the other
    import_chunk        imports them; what cannot be imported is filed as a job of its own
    close_window        waits for all of these and moves the cursor
"""

from __future__ import annotations

from typing import Any

from connector.connector import ConnectorEnvironment, get_environment
from connector.exception import NothingToDoJob
from connector.queue.job import OpenERPJobStorage, job
from connector.session import ConnectorSession
from connector.unit.batch import RETRY_PATTERN, WINDOWS, import_batch, job_options
from connector.unit.incremental import Window, cursor_key, incremental_importer, open_window

__all__ = ["close_window", "import_changes"]


@job
def import_changes(session: ConnectorSession, model_name: str, backend_id: int) -> dict[str, Any]:
    """Import what changed since the cursor, which moves once everything is done."""
    connector_env = get_environment(session, model_name, backend_id)
    window = open_window(connector_env)
    kept = session.env[WINDOWS].create({**cursor_key(connector_env), "state": window.to_json()})
    options, name = job_options(connector_env), connector_env.backend_record.name
    batch = import_batch.delay(
        session,
        model_name,
        backend_id,
        filters=window.filters,
        window_id=kept.id,
        description=f"Import changed {model_name} of {name}",
        **options,
    )
    closing = close_window.delay(
        session,
        model_name,
        backend_id,
        kept.id,
        depends_on=[batch],
        description=f"Move the cursor of {model_name} of {name}",
        **options,
    )
    for uuid in (batch, closing):
        OpenERPJobStorage(session).add_part(uuid)
    return {"model": model_name, "since": window.filters}


@job(retry_pattern=RETRY_PATTERN)
def close_window(
    session: ConnectorSession, model_name: str, backend_id: int, window_id: int
) -> dict[str, Any]:
    """Move the cursor to the bound of a window whose jobs are done."""
    connector_env = get_environment(session, model_name, backend_id)
    kept = session.env[WINDOWS].browse(window_id).exists()
    if not kept:
        raise NothingToDoJob("A later window of the model is closed already.")
    window = Window.from_json(kept.state, incremental_importer(connector_env))
    window.close()
    _remove_up_to(connector_env, window_id)
    return {"model": model_name, "cursor": str(window.bound)}


def _remove_up_to(connector_env: ConnectorEnvironment, window_id: int) -> None:
    """Remove a window, and those of before that were never closed: they can move nothing now."""
    domain = [(name, "=", value) for name, value in cursor_key(connector_env).items()]
    connector_env.env[WINDOWS].search([*domain, ("id", "<=", window_id)]).unlink()
