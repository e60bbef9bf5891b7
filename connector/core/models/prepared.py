"""Prepared statements: what is sent again and again is parsed once per connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["forget_prepared", "run_prepared"]

#: where the connection's memory counts the names given
COUNT = "prepared statements"


def run_prepared(
    cr: Any,
    types: str,
    text: str,
    params: Sequence[Any],
    send: Callable[[str, Sequence[Any]], None] | None = None,
) -> None:
    """
    Run a statement with ``$1`` .. placeholders, prepared with its first use.

    *types* are those of the parameters. A name is used once: where the first use fails,
    nobody can tell whether the statement was kept, so the next one takes another name.
    *send* is a method of the cursor that does more than to execute.
    """
    memory = cr.memory
    send = send or cr.execute_unflushed
    run = memory.get(text)
    if run is not None:
        send(run, params)
        return
    number = memory[COUNT] = memory.get(COUNT, 0) + 1
    run = f"EXECUTE prepared_{number} ({', '.join(['%s'] * len(params))})"
    prepare = f"PREPARE prepared_{number} ({types}) AS {text}"
    send(f"{prepare}; {run}", params)
    memory[text] = run


def forget_prepared(cr: Any) -> None:
    """Prepare anew what is run next: a column that changed its type makes statements fail."""
    for text, run in list(cr.memory.items()):
        if str(run).startswith("EXECUTE prepared_"):
            del cr.memory[text]
