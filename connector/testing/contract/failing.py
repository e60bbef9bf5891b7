"""What an adapter does when its backend does not answer as it should."""

from __future__ import annotations

from connector.exception import (
    BackendAccessError,
    ConnectorException,
    IDMissingInBackend,
    InvalidDataError,
    NetworkRetryableError,
    RateLimitError,
    RetryableJobError,
)
from connector.testing.contract.capability import Capability, needs
from connector.testing.contract.subject import AdapterUnderTest
from connector.unit.backend_adapter import CRUDAdapter


class FailingContract(AdapterUnderTest):
    """Each failure becomes the error that says what happens next."""

    @needs(Capability.ACCESS)
    def test_a_wrong_secret_is_refused(self, adapter: CRUDAdapter) -> None:
        """Without the right secret nothing is read, and a person is told."""
        locked_out = self.with_wrong_secret(adapter)
        with self._raises(BackendAccessError, "a request with a wrong secret"):
            locked_out.read(self.unknown_id())

    @needs(Capability.READ, Capability.ERRORS)
    def test_refused_credentials_wait_for_a_person(self, adapter: CRUDAdapter) -> None:
        """401 and 403 are `BackendAccessError`: trying again would not help."""
        for status in (401, 403):
            with self.answering(status), self._raises(BackendAccessError, f"status {status}"):
                adapter.read(self.unknown_id())

    @needs(Capability.READ, Capability.ERRORS)
    def test_a_record_that_is_gone_is_missing(self, adapter: CRUDAdapter) -> None:
        """404 is `IDMissingInBackend`."""
        with self.answering(404), self._raises(IDMissingInBackend, "status 404"):
            adapter.read(self.unknown_id())

    @needs(Capability.READ, Capability.ERRORS)
    def test_a_pause_is_as_long_as_the_backend_asks(self, adapter: CRUDAdapter) -> None:
        """429 is `RateLimitError`, for the seconds of Retry-After, and is not counted as a try."""
        for headers, seconds in ({"Retry-After": "7"}, 7), ({}, None):
            with self.answering(429, headers), self._raises(RateLimitError, "429") as raised:
                adapter.read(self.unknown_id())
            error = raised[0]
            assert isinstance(error, RateLimitError)
            assert error.ignore_retry, "A pause that the backend asks for counts as a failed try."
            assert error.seconds, "429 has no pause."
            assert error.seconds == (seconds or error.seconds), (
                f"Retry-After: {seconds} makes a pause of {error.seconds} seconds."
            )

    @needs(Capability.READ, Capability.ERRORS)
    def test_a_backend_in_trouble_is_tried_again(self, adapter: CRUDAdapter) -> None:
        """500, 502, 503, 504 and a broken connection are retryable."""
        for status in (500, 502, 503, 504, None):
            told = f"status {status}" if status else "a broken connection"
            with self.answering(status), self._raises(NetworkRetryableError, told):
                adapter.read(self.unknown_id())

    @needs(Capability.CREATE, Capability.ERRORS)
    def test_refused_data_is_not_tried_again(self, adapter: CRUDAdapter) -> None:
        """400 and 422 say that the data is wrong, and will say it again."""
        for status in (400, 422):
            with (
                self.answering(status),
                self._raises(InvalidDataError, f"status {status}") as raised,
            ):
                adapter.create(self.new_record(1))
            assert not isinstance(raised[0], RetryableJobError), (
                f"Status {status} raises {type(raised[0]).__name__}, which is tried again."
            )

    @needs(Capability.READ, Capability.ERRORS)
    def test_what_is_no_json_is_an_error_of_the_connector(self, adapter: CRUDAdapter) -> None:
        """A page of HTML with status 200 is refused by name, not met as some ValueError."""
        html = {"Content-Type": "text/html"}
        with (
            self.answering(200, html, b"<h1>Maintenance</h1>"),
            self._raises(ConnectorException, "an answer that is no JSON"),
        ):
            adapter.read(self.unknown_id())
