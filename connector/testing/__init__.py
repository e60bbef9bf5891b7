"""
What authors of connectors test with; `plugin` is loaded by pytest itself.

    mock_job_delay_to_direct    .delay() of a job function calls it
    trap_jobs                   delayed jobs are held fast, looked at, performed
    AdapterContract             what every adapter keeps to, as tests
    FakeApi                     a REST API in memory, with pages, dates, keys and a token
    http_cassette               HTTP recorded once and replayed, without its secrets

A name is imported when it is used: every run of pytest imports this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.testing.cassettes import UnrecordedRequestError, http_cassette
    from connector.testing.contract import AdapterContract, Capability
    from connector.testing.fake_api import FakeApi
    from connector.testing.jobs import JobTrap, mock_job_delay_to_direct, trap_jobs

__all__ = [
    "AdapterContract",
    "Capability",
    "FakeApi",
    "JobTrap",
    "UnrecordedRequestError",
    "http_cassette",
    "mock_job_delay_to_direct",
    "trap_jobs",
]

_MODULES = {
    "AdapterContract": "contract",
    "Capability": "contract",
    "FakeApi": "fake_api",
    "JobTrap": "jobs",
    "UnrecordedRequestError": "cassettes",
    "http_cassette": "cassettes",
    "mock_job_delay_to_direct": "jobs",
    "trap_jobs": "jobs",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
