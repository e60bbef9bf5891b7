"""Keeps the records of two systems in step: backends, connector units, bindings, jobs."""

__version__ = "0.1.0"
