"""
The connector's errors; each class says what happens next.

    ConnectorException                  (RuntimeError)
    |-- ConfigurationError              fix the command line, the environment or the file
    |   `-- ChannelSettingsError        fix the text that describes the channels
    |-- ServerUnreachableError          PostgreSQL or Redis does not answer: start it or fix its URL
    |-- BackendError                    fix the definition or the record of a backend
    |   |-- NoBackendError              no Backend of that service and version
    |   `-- UnknownUnitError            `replacing` names a class this Backend does not know
    |-- UnitError                       fix the declaration of a connector unit
    |   |-- NoConnectorUnitError        no class answers a look-up
    |   |-- ManyConnectorUnitsError     several classes answer one look-up
    |   `-- NoModelNameError            a unit says neither its models nor how it matches
    |-- DryRunError                     a dry run would write to the backend
    |-- EventError                      an event is fired or subscribed with wrong arguments
    |-- UnknownModelError               a model of that name is not in this database
    |-- ChannelNotFound                 no channel of that name
    |-- InvalidDataError                a record cannot be taken as it is
    |   |-- InvalidExternalIdError      an external id is empty, or of a type that is no id
    |   |-- InvalidBindingError         not one binding is given where one is needed
    |   |-- ManyBindingsError           several bindings for one record of one backend
    |   `-- BackendResponseError        the backend answers something that is not its protocol
    |       `-- BackendRefusalError     the backend says no, and has surely taken nothing
    |-- MappingError                    a value cannot be mapped
    |   |-- MappingDefinitionError      a mapper is declared wrongly
    |   |   `-- UnknownTargetFieldError it maps to a field that its model does not have
    |   |-- MappingResultError          a mapping method returns something that is no dict
    |   `-- MissingSourceFieldError     the source record has no such field
    `-- JobError
        |-- JobDefinitionError          a job function, or a call of it, is declared wrongly
        |-- JobArgumentError            an argument of a job cannot be kept
        |-- NoSuchJobError              the job row is gone
        |-- NotReadableJobError         the job's function or arguments cannot be read
        |-- FailedJobError              waits for a person
        |   |-- JobStoppedError         a person has stopped the job
        |   |-- JobTimeoutError         the job takes longer than it may
        |   |-- BackendAccessError      the backend refuses the credentials
        |   |-- UncertainExportError    nobody can say whether the backend took the record
        |   `-- SweepRefusedError       too much would be removed
        |-- NothingToDoJob              done, nothing was to do
        |-- IDMissingInBackend          the backend has no record of that id
        |-- ManyIDSInBackend            the backend has several records where one is sought
        `-- RetryableJobError           comes back later
            |-- NetworkRetryableError   the backend cannot be reached now
            |   `-- BackendUnreachableError  no connection was made, so nothing was sent
            |-- RateLimitError          the backend asks for a pause
            `-- NoExternalId            the record is not yet exported

Double parents.  Code written for 8.0 catches a built-in class where the tree now has one of
its own; such a class derives from the built-in one too, so that the old `except` still works:

    NoBackendError           ValueError           get_backend, connector.backend.get_backend
    BackendError             ValueError           Backend() without service or parent
    UnknownUnitError         ValueError           register_class(replacing=...)
    ManyConnectorUnitsError  AssertionError       Backend.get_class
    NoModelNameError         NotImplementedError  ConnectorUnit.for_model_names
    EventError               AssertionError       Event.fire
    ChannelSettingsError     ValueError           parse_simple_config
    JobDefinitionError       AssertionError       @job, Job
    JobArgumentError         TypeError            delay
    UnknownModelError        AssertionError, ValueError  add_checkpoint, Binder.unwrap_model
    InvalidExternalIdError   AssertionError       Binder.bind
    InvalidBindingError      AssertionError, ValueError  Binder.bind, to_backend (ensure_one)
    ManyBindingsError        ValueError           Binder.to_openerp (ensure_one)
    MappingDefinitionError   AssertionError, ValueError  Mapper classes, modifiers on wrong fields
    UnknownTargetFieldError  KeyError             direct mappings of an ImportMapper
    MappingResultError       ValueError           Mapper._apply
    MissingSourceFieldError  KeyError             direct mappings and children
"""


class ConnectorException(RuntimeError):
    """Base of every error the connector raises on purpose."""

    def __str__(self) -> str:
        # A class that is a KeyError too would show the repr of its message.
        return Exception.__str__(self)


class ConfigurationError(ConnectorException):
    """An option has a wrong value, or two options contradict each other."""


class DryRunError(ConnectorException):
    """Something in a dry run was about to write to the backend."""


class ChannelSettingsError(ConfigurationError, ValueError):
    """The text that describes the channels cannot be read."""


class ServerUnreachableError(ConnectorException):
    """PostgreSQL or Redis cannot be reached or started."""


class BackendError(ConnectorException, ValueError):
    """A Backend or a backend record is not defined well enough to be used."""


class NoBackendError(BackendError):
    """No Backend is registered for a service and version."""


class UnknownUnitError(BackendError):
    """`replacing` names a class that is not registered on this Backend."""


class UnitError(ConnectorException):
    """A connector unit is missing or declared wrongly."""


class NoConnectorUnitError(UnitError):
    """No connector unit answers a look-up."""


class ManyConnectorUnitsError(UnitError, AssertionError):
    """Several connector units answer a look-up that must give one."""


class NoModelNameError(UnitError, NotImplementedError):
    """A registered unit has no `_model_name`."""


class EventError(ConnectorException, AssertionError):
    """An event is fired or subscribed with wrong arguments."""


class UnknownModelError(ConnectorException, AssertionError, ValueError):
    """A model is not known in this database."""


class ChannelNotFound(ConnectorException):
    """No channel has that name."""


class InvalidDataError(ConnectorException):
    """A record's data cannot be imported or exported as it is."""


class InvalidExternalIdError(InvalidDataError, AssertionError):
    """An external id is None, False or empty, or of a type that is no id.  Zero is an id."""


class InvalidBindingError(InvalidDataError, AssertionError, ValueError):
    """A binding is missing where one is needed, or what is given is not one binding."""


class ManyBindingsError(InvalidDataError, ValueError):
    """One record has several bindings on one backend."""


class BackendResponseError(InvalidDataError):
    """The backend answers something else than its protocol promises."""


class BackendRefusalError(BackendResponseError):
    """The backend refuses a request as it is, and has surely taken nothing of it."""


class MappingError(ConnectorException):
    """A value cannot be mapped."""


class MappingDefinitionError(MappingError, AssertionError, ValueError):
    """A mapper, or a modifier in it, is declared wrongly."""


class UnknownTargetFieldError(MappingDefinitionError, KeyError):
    """A mapper maps a value to a field that its model does not have."""


class MappingResultError(MappingError, ValueError):
    """A mapping method returns something that is no dict."""


class MissingSourceFieldError(MappingError, KeyError):
    """The source record lacks a field that the mapper reads."""


class JobError(ConnectorException):
    """Base of the errors that decide what becomes of a job."""


class JobDefinitionError(JobError, AssertionError):
    """A job function is declared, or called, with options it cannot have."""


class JobArgumentError(JobError, TypeError):
    """An argument of a job has no form in which it can be kept."""


class NoSuchJobError(JobError):
    """The job does not exist, or not any more."""


class NotReadableJobError(JobError):
    """The job's function or its arguments cannot be read."""


class FailedJobError(JobError):
    """The job has failed and waits for a person."""


class JobStoppedError(FailedJobError):
    """A person has stopped the job while it ran."""


class JobTimeoutError(FailedJobError):
    """The job takes longer than a job may."""


class BackendAccessError(FailedJobError):
    """The backend refuses the credentials, or refuses them this action."""


class UncertainExportError(FailedJobError):
    """An export was sent, its answer was lost, and the backend cannot be asked about it."""


class SweepRefusedError(FailedJobError):
    """Too much would be removed, or the listing was not complete; a person has to look."""


class NothingToDoJob(JobError):
    """The job has nothing to do; it is done."""


class IDMissingInBackend(JobError):
    """The backend has no record of that id."""


class ManyIDSInBackend(JobError):
    """The backend has several records where one is sought."""


class RetryableJobError(JobError):
    """
    The job rolls back and comes back later.

    *seconds* is the wait before the next try; without it the job's retry pattern decides.
    With *ignore_retry* the try is not counted.
    """

    # For a class of an author that does not call `__init__`.
    seconds: float | None = None
    ignore_retry: bool = False

    def __init__(
        self, msg: str = "", seconds: float | None = None, ignore_retry: bool = False
    ) -> None:
        super().__init__(msg)
        self.seconds = seconds
        self.ignore_retry = ignore_retry


class NetworkRetryableError(RetryableJobError):
    """The backend cannot be reached now; the job comes back later."""


class BackendUnreachableError(NetworkRetryableError):
    """No connection to the backend was made: it has surely taken nothing."""


class RateLimitError(RetryableJobError):
    """The backend asks for a pause; the job comes back after it."""


class NoExternalId(RetryableJobError):
    """The record has no external id yet; its own export comes first."""
