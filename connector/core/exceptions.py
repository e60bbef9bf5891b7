"""
The core's errors; each message says what was sought, where, and what to do.

    CoreError
    |-- except_orm                      the 8.0 base: a title and a text
    |   |-- UserError                   the request cannot be met as it is (alias Warning)
    |   |-- AccessError                 the user may not do this
    |   |-- MissingError                the record is gone
    |   `-- ValidationError             a constraint is broken
    |       `-- RequiredValueError      a required field has no value
    |-- AccessDenied                    login or password is wrong
    |-- RedirectWarning                 a warning that carries an action
    |-- DeferredException               an error kept for later, with its traceback
    |-- ModelDefinitionError            TypeError   a model or field is declared wrongly
    |-- UnknownModelError               KeyError    the database has no model of that name
    |-- UnknownFieldError               ValueError  the model has no field of that name
    |-- FieldValueError                 ValueError  a field cannot take that value
    |-- DomainError                     ValueError  a search domain cannot be read
    |-- SingletonError                  ValueError  one record is needed, there are none or several
    |-- UnknownExternalIdError          ValueError  no record has that external id
    |-- DatabaseError
    |   |-- NoServerError               no PostgreSQL server was named
    |   |-- DatabaseUnreachableError    the server does not answer
    |   |-- DatabaseMissingError        the server has no database of that name
    |   |-- DatabaseExistsError         a database of that name exists already
    |   |-- DatabaseNotInitialisedError the database lacks the tables of `base`
    |   |-- PoolExhaustedError          every connection of the pool is in use
    |   `-- CursorError                 a cursor is closed, or used where it may not be
    `-- ModuleError
        |-- UnknownModuleError          no addon of that name can be found
        |-- DuplicateAddonError         two addons share one name
        |-- ManifestError               a manifest cannot be read
        |-- UnmetDependencyError        an addon needs one that is missing
        |-- DependencyCycleError        addons need each other
        `-- DataFileError               a data file cannot be loaded

The second column names the built-in class that older code catches; the error derives from it too.
"""

from typing import Any


class CoreError(Exception):
    """Base of every error the core raises on purpose."""

    def __str__(self) -> str:
        # KeyError would print the repr of its message.
        return Exception.__str__(self)


class except_orm(CoreError):  # noqa: N801 - the public name of 8.0
    """Base of the errors that a user is meant to read: *name* is the title, *value* the text."""

    def __init__(self, name: str, value: Any = None) -> None:
        super().__init__(name, value)
        self.name = name
        self.value = value

    def __str__(self) -> str:
        return str(self.name if self.value is None else self.value)


class UserError(except_orm):
    """The request cannot be met as it is."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


Warning = UserError


class AccessError(except_orm):
    """The user may not do this with these records."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class MissingError(except_orm):
    """The record is gone, or never was."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class ValidationError(except_orm):
    """A constraint of the model is broken."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class RequiredValueError(ValidationError):
    """A required field has no value."""


class AccessDenied(CoreError):
    """Login or password is wrong; the message does not say which."""

    def __init__(self, message: str = "Access denied: wrong login or password.") -> None:
        super().__init__(message)


class RedirectWarning(CoreError):
    """A warning with an action that mends its reason."""

    def __init__(self, message: str, action: Any, button_text: str) -> None:
        super().__init__(message, action, button_text)

    def __str__(self) -> str:
        return str(self.args[0])


class DeferredException(CoreError):
    """An error kept for later, with the traceback of its cause."""

    def __init__(self, message: str, traceback: Any) -> None:
        super().__init__(message, traceback)
        self.message = message
        self.traceback = traceback

    def __str__(self) -> str:
        return self.message


class ModelDefinitionError(CoreError, TypeError):
    """A model or a field is declared wrongly."""


class UnknownModelError(CoreError, KeyError):
    """The database has no model of that name."""


class UnknownFieldError(CoreError, ValueError):
    """The model has no field of that name."""


class FieldValueError(CoreError, ValueError):
    """A field cannot take that value."""


class DomainError(CoreError, ValueError):
    """A search domain cannot be read."""


class SingletonError(CoreError, ValueError):
    """One record is needed; there are none, or several."""


class UnknownExternalIdError(CoreError, ValueError):
    """No record has that external id."""


class DatabaseError(CoreError):
    """The database cannot do what is asked of it."""


class NoServerError(DatabaseError):
    """No PostgreSQL server was named."""


class DatabaseUnreachableError(DatabaseError):
    """The PostgreSQL server does not answer, or refuses the connection."""


class DatabaseMissingError(DatabaseError):
    """The server has no database of that name."""


class DatabaseExistsError(DatabaseError):
    """A database of that name exists already."""


class DatabaseNotInitialisedError(DatabaseError):
    """The database lacks the tables of the addon `base`."""


class PoolExhaustedError(DatabaseError):
    """Every connection of the pool is in use."""


class CursorError(DatabaseError):
    """A cursor is closed, or used by a thread, task or test that may not use it."""


class ModuleError(CoreError):
    """An addon cannot be found, read, installed or removed."""


class UnknownModuleError(ModuleError):
    """No addon of that name can be found."""


class DuplicateAddonError(ModuleError):
    """Two addons share one name."""


class ManifestError(ModuleError):
    """A manifest cannot be read, or says something impossible."""


class UnmetDependencyError(ModuleError):
    """An addon needs another, a Python package or a program that is missing."""


class DependencyCycleError(ModuleError):
    """Addons need each other."""


class DataFileError(ModuleError):
    """A data file cannot be loaded; the message gives file and place."""
