"""The text that describes channels: `root:4,root.shop:2:sequential,root.slow:1:throttle=5`."""

from __future__ import annotations

from typing import Any

from connector.exception import ChannelSettingsError

ROOT = "root"


def parse_simple_config(text: str) -> list[dict[str, Any]]:
    """
    Read `root:4,root.shop:2:sequential,root.slow:1:throttle=5`, one dict a channel.

    Entries are separated by commas or lines.  A channel without a number has the capacity 1,
    a key without a value is True.

    Raises:
        ChannelSettingsError: an entry has no name, a capacity that is no number, or a key
            that is empty or given twice.
    """
    entries = text.replace("\n", ",").split(",")
    return [_parse_entry(entry.strip()) for entry in entries if entry.strip()]


def _parse_entry(entry: str) -> dict[str, Any]:
    name, *rest = (part.strip() for part in entry.split(":"))
    if not name:
        raise ChannelSettingsError(f"The channel {entry!r} has no name.")
    capacity, *options = rest or ["1"]
    try:
        parsed: dict[str, Any] = {"name": name, "capacity": int(capacity)}
    except ValueError:
        raise ChannelSettingsError(
            f"The capacity {capacity!r} of the channel {name!r} is no whole number."
        ) from None
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if not key or key in parsed or "=" in value:
            raise ChannelSettingsError(f"{option!r} of the channel {name!r} cannot be read.")
        parsed[key] = value if equals else True
    return parsed


def full_name(name: str | None) -> str:
    """The name from `root` on; `shop.orders` means `root.shop.orders`."""
    if not name or name == ROOT:
        return ROOT
    return name if name.startswith(f"{ROOT}.") else f"{ROOT}.{name}"
