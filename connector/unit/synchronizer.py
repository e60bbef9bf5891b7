"""
Synchronizers hold the other units and do one task with them.

    Synchronizer
    |-- Importer    brings records from the backend
    |-- Exporter    takes records to the backend
    `-- Deleter     deletes records on the backend
"""

from __future__ import annotations

from typing import Any, ClassVar

from connector.connector import Binder, ConnectorEnvironment, ConnectorUnit
from connector.deprecate import DeprecatedClass
from connector.unit.backend_adapter import BackendAdapter
from connector.unit.mapper import ExportMapper, ImportMapper, Mapper

__all__ = [
    "DeleteSynchronizer",
    "Deleter",
    "ExportSynchronizer",
    "Exporter",
    "ImportSynchronizer",
    "Importer",
    "Synchronizer",
]


class Synchronizer(ConnectorUnit):
    """Does one task in `run` with a mapper, a binder and an adapter, each made on first use."""

    _base_mapper: ClassVar[type[Mapper]] = Mapper
    _base_backend_adapter: ClassVar[type[BackendAdapter]] = BackendAdapter

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        super().__init__(connector_env)
        self._mapper: Mapper | None = None
        self._binder: Binder | None = None
        self._backend_adapter: BackendAdapter | None = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do the task."""
        raise NotImplementedError(
            f"{type(self).__module__}.{type(self).__qualname__} has no run(). Write what it does."
        )

    @property
    def mapper(self) -> Mapper:
        if self._mapper is None:
            self._mapper = self.unit_for(self._base_mapper)
        return self._mapper

    @property
    def binder(self) -> Binder:
        if self._binder is None:
            self._binder = self.binder_for()
        return self._binder

    @property
    def backend_adapter(self) -> Any:
        """The adapter; what it offers beyond its id is the backend's own."""
        if self._backend_adapter is None:
            self._backend_adapter = self.unit_for(self._base_backend_adapter)
        return self._backend_adapter


class Importer(Synchronizer):
    """Brings records from the backend."""

    _base_mapper = ImportMapper


class Exporter(Synchronizer):
    """Takes records to the backend."""

    _base_mapper = ExportMapper


class Deleter(Synchronizer):
    """Deletes records on the backend."""


_HERE = "connector.unit.synchronizer"
ExportSynchronizer = DeprecatedClass(f"{_HERE}.ExportSynchronizer", Exporter)
ImportSynchronizer = DeprecatedClass(f"{_HERE}.ImportSynchronizer", Importer)
DeleteSynchronizer = DeprecatedClass(f"{_HERE}.DeleteSynchronizer", Deleter)
