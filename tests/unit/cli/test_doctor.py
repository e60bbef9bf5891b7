"""`connector doctor` on what no machine of the tests has."""

from __future__ import annotations

from connector.cli.doctor import OLDEST_REDIS, _new_enough


def test_an_old_server_is_told_with_what_is_needed() -> None:
    """Versions are compared as numbers, and the finding names the one that will do."""
    old = _new_enough("Redis", (6, 0, 16), OLDEST_REDIS, "redis://here")
    assert old == (
        False,
        "Redis 6.0.16 answers at redis://here. Version 6.2 or later is needed: update it.",
    )
    assert _new_enough("Redis", (10, 0, 1), OLDEST_REDIS, "redis://here").fine
    assert _new_enough("Redis", (6, 2), OLDEST_REDIS, "redis://here").fine
