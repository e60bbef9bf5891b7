"""Why a backend chooses the units it chooses for a model."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connector.backend import Backend, UnitEntry
from connector.binder import Binder
from connector.connector import ConnectorEnvironment
from connector.connector_unit import ConnectorUnit
from connector.exception import NoConnectorUnitError, UnitError
from connector.unit.add_checkpoint import AddCheckpoint
from connector.unit.backend_adapter import BackendAdapter
from connector.unit.batch import BatchImporter
from connector.unit.exporter import RecordExporter
from connector.unit.image import ImageImporter
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ExportMapper, ImportMapper
from connector.unit.synchronizer import Deleter
from connector.unit.translation import TranslationImporter

__all__ = ["Candidate", "Choice", "choices", "place_of"]

Unit = type[ConnectorUnit]

#: The questions that every synchronization asks of a backend.
ROLES: tuple[Unit, ...] = (
    Binder,
    BackendAdapter,
    ImportMapper,
    RecordImporter,
    BatchImporter,
    ExportMapper,
    RecordExporter,
    Deleter,
)
#: Those that only some ask; told where a class answers.
FURTHER_ROLES: tuple[Unit, ...] = (TranslationImporter, ImageImporter, AddCheckpoint)


@dataclass(frozen=True)
class Candidate:
    """A class registered for a role, and why it was or was not chosen."""

    name: str
    backend: Backend  #: the backend or parent that it is registered on
    reason: str
    is_for_model: bool = True

    def __str__(self) -> str:
        return f"{self.name} on {self.backend}: {self.reason}"


@dataclass(frozen=True)
class Choice:
    """The answer of a backend for one role."""

    role: str
    unit: Unit | None
    refusal: str  #: why there is none
    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        if self.unit is None:
            return f"{self.role}: none. {self.refusal}"
        return f"{self.role}: {_name(self.unit)}  {place_of(self.unit)}"

    def lines(self) -> Iterator[str]:
        """Tell the candidates, those for other models together."""
        yield from (str(each) for each in self.candidates if each.is_for_model)
        others = [each.name for each in self.candidates if not each.is_for_model]
        if others:
            yield f"for other models: {', '.join(others)}"


def choices(connector_env: ConnectorEnvironment) -> Iterator[Choice]:
    """Give what answers each role for the environment's model, and why."""
    question = _Question(connector_env)
    for role in ROLES:
        yield question.choice(role)
    for role in (*FURTHER_ROLES, *question.own_kinds()):
        choice = question.choice(role)
        if choice.unit is not None:
            yield choice


class _Question:
    """What a look-up for one environment goes by, told in words."""

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        self._backend: Backend = connector_env.backend
        self._session = connector_env.session
        self._model = connector_env.model_name
        self._installed = connector_env.env.registry._init_modules

    def choice(self, role: Unit) -> Choice:
        found, refusal = None, ""
        try:
            found = self._backend.get_class(role, self._session, self._model)
        except NoConnectorUnitError:
            refusal = f"No class for {self._model!r} is registered and installed."
        except UnitError as error:
            refusal = str(error)
        candidates = tuple(
            Candidate(
                _name(entry.unit_class),
                stands_on,
                self._reason(role, stands_on, entry, found),
                self._is_for_model(entry),
            )
            for stands_on, entry in self._backend.entries()
            if issubclass(entry.unit_class, role)
        )
        return Choice(role.__name__, found, refusal, candidates)

    def own_kinds(self) -> Iterator[Unit]:
        """Give the units for the model that answer none of the roles: a connector's own kinds."""
        for _, entry in self._backend.entries():
            if not issubclass(entry.unit_class, (*ROLES, *FURTHER_ROLES)):
                yield entry.unit_class

    def _reason(self, role: Unit, stands_on: Backend, entry: UnitEntry, found: Unit | None) -> str:
        if refused := self._refusal(role, entry):
            return refused
        if replacing := [_name(each) for each in self._answering_in_place_of(role, entry)]:
            return f"replaced by {', '.join(replacing)}"
        aside = "".join(
            f"; its replacement {_name(each.unit_class)} does not answer: "
            f"{self._refusal(role, each) or 'it is replaced itself'}"
            for each in entry.replaced_by
        )
        if entry.unit_class is found:
            return f"chosen{aside}"
        if hiding := self._hiding(role, stands_on):
            return f"hidden by {hiding}, which has its own{aside}"
        return f"answers as well{aside}"

    def _is_for_model(self, entry: UnitEntry) -> bool:
        """Say whether a class may answer for the model; one that fails to say is looked at."""
        try:
            return entry.unit_class.match(self._session, self._model)
        except UnitError:
            return True

    def _refusal(self, role: Unit, entry: UnitEntry) -> str:
        """Why a class itself does not answer; nothing where it does."""
        unit = entry.unit_class
        if entry.addon not in self._installed:
            return f"its addon {entry.addon!r} is not installed"
        if not issubclass(unit, role):
            return f"it is no {role.__name__}"
        try:
            if unit.match(self._session, self._model):
                return ""
            return f"it is for other models: {', '.join(unit.for_model_names)}"
        except UnitError as error:
            return str(error)

    def _answering_in_place_of(self, role: Unit, entry: UnitEntry) -> Iterator[Unit]:
        for replacement in entry.replaced_by:
            deeper = list(self._answering_in_place_of(role, replacement))
            if not deeper and not self._refusal(role, replacement):
                deeper = [replacement.unit_class]
            yield from deeper

    def _hiding(self, role: Unit, stands_on: Backend) -> Backend | None:
        """Give the backend below that answers, so that nobody asks *stands_on*."""
        for backend, entry in self._backend.entries():
            if backend is stands_on:
                return None
            if not self._refusal(role, entry):
                return backend
        return None


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def place_of(what: Any) -> str:
    """Give the file and line where a class or function is written."""
    try:
        return f"{inspect.getsourcefile(what)}:{inspect.getsourcelines(what)[1]}"
    except (OSError, TypeError):
        return "no source file"
