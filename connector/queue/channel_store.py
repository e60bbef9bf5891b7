"""The channels of a database: read as a tree, and set while the dispatcher follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connector.core import sql
from connector.exception import ChannelSettingsError
from connector.queue.channels import (
    LONGEST_THROTTLE_SECONDS,
    ChannelSettings,
    ChannelTree,
    chain,
    full_name,
)
from connector.queue.function import check_channel
from connector.queue.state import State

_CHANNELS = (
    "SELECT complete_name, capacity, sequential, throttle, paused, short FROM queue_job_channel"
)

# Several processes may name a channel at a time: whoever is second finds the row.
_ADD = """
INSERT INTO queue_job_channel (name, complete_name, parent_id)
VALUES (%(name)s, %(complete_name)s,
        (SELECT id FROM queue_job_channel WHERE complete_name = %(parent)s))
ON CONFLICT (complete_name) DO NOTHING
"""

_SET = """
UPDATE queue_job_channel
   SET capacity = coalesce(%(capacity)s, capacity),
       sequential = coalesce(%(sequential)s, sequential),
       throttle = coalesce(%(throttle)s, throttle),
       paused = coalesce(%(paused)s, paused),
       short = coalesce(%(short)s, short)
 WHERE complete_name = %(name)s
"""

_RENAME = """
WITH jobs AS (
    UPDATE queue_job SET channel = %(new)s || substr(channel, length(%(old)s) + 1)
     WHERE state <> 'started'
       AND (channel = %(old)s OR starts_with(channel, %(old)s || '.'))
)
UPDATE queue_job_channel
   SET complete_name = %(new)s || substr(complete_name, length(%(old)s) + 1)
 WHERE complete_name = %(old)s OR starts_with(complete_name, %(old)s || '.')
"""

_COUNTS = "SELECT channel, state, count(*) FROM queue_job GROUP BY channel, state"


def read_tree(cr: Any, configured: Iterable[ChannelSettings]) -> ChannelTree:
    """All channels with their settings; what the database says wins over *configured*."""
    tree = ChannelTree()
    tree.add(configured)
    cr.execute_unflushed(_CHANNELS)
    tree.add(ChannelSettings(*row) for row in cr.fetchall())
    return tree


def ensure(cr: Any, name: str) -> bool:
    """Make a channel, and those above it, where they are missing; answer whether it was."""
    for each in reversed(list(chain(name))):
        parent, _, last = each.rpartition(".")
        cr.execute(_ADD, {"name": last, "complete_name": each, "parent": parent or None})
    return bool(cr.rowcount)


def set_channel(cr: Any, settings: ChannelSettings) -> bool:
    """
    Set what *settings* set, from the commit on; answer whether the channel is new.

    Raises:
        JobDefinitionError: there can be no channel of that name.
        ChannelSettingsError: the throttle is no number of seconds up to a day.
    """
    name = full_name(settings.name)
    check_channel(name)
    if settings.throttle is not None and not 0 <= settings.throttle <= LONGEST_THROTTLE_SECONDS:
        raise ChannelSettingsError(
            f"The throttle {settings.throttle} of the channel {name} is no number of seconds "
            "from 0 to a day."
        )
    is_new = ensure(cr, name)
    cr.execute(_SET, {**vars(settings), "name": name})
    return is_new


def rename(cr: Any, old: str, new: str) -> None:
    """Give a channel, those below it and their jobs that do not run the new complete name."""
    cr.execute(_RENAME, {"old": old, "new": new})


def leave_to_configuration(cr: Any, ids: Sequence[int], settings: Sequence[str]) -> None:
    """Let the configuration say these settings: a new record has values that nobody gave."""
    if settings:
        nothing = sql.composed.SQL(", ").join(
            sql.composed.SQL("{} = NULL").format(sql.composed.Identifier(name)) for name in settings
        )
        cr.execute(
            sql.composed.SQL("UPDATE queue_job_channel SET {} WHERE id = ANY(%(ids)s)").format(
                nothing
            ),
            {"ids": list(ids)},
        )


def counts(cr: Any) -> dict[str, dict[State, int]]:
    """How many jobs each channel has in each state."""
    cr.execute_unflushed(_COUNTS)
    found: dict[str, dict[State, int]] = {}
    for channel, state, number in cr.fetchall():
        found.setdefault(channel, {})[State(state)] = number
    return found
