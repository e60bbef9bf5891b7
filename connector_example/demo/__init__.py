"""The command `connector demo`: import the example shop, report, and check every record."""

from connector_example.demo.command import demo

__all__ = ["demo"]
