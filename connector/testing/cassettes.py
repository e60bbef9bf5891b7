"""
HTTP recorded once and replayed, without its secrets: cassettes of vcrpy.

A cassette is a YAML file next to the tests, made to be read and committed.  It is replayed unless
recording is asked for; a request that is not on it is refused, and never reaches a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vcr import VCR  # type: ignore[import-untyped]  # vcrpy has no types
from vcr.cassette import Cassette  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from connector.testing.scrubber import Scrubber
from connector.unit.http_client import close_connections

__all__ = ["UnrecordedRequestError", "http_cassette"]

#: What two requests must have in common, secrets apart, to be the same.
MATCH_ON = ("method", "scheme", "host", "port", "path", "query", "body")


class UnrecordedRequestError(AssertionError):
    """A test asks for something that its cassette does not have."""


@contextmanager
def http_cassette(
    path: Path,
    record: bool = False,
    secrets: Iterable[str] = (),
    public: Iterable[str] = (),
) -> Iterator[None]:
    """
    Replay the HTTP of the block from *path*, or with *record* do it and write it there.

    *secrets* are values to blank wherever they appear, beside those that are secret by their
    names; *public* are names that look secret and are not.  A recording that fails leaves the
    cassette of before.

    Raises:
        UnrecordedRequestError: while replaying, a request is not on the cassette, or is made more
            often than it was recorded.
    """
    scrubber, unrecorded = Scrubber(secrets, public), _Unrecorded(path)
    written = path.with_suffix(".new") if record else path
    vcr = VCR(match_on=MATCH_ON, decode_compressed_response=True, record_on_exception=False)
    vcr.register_serializer("scrubbed", _ScrubbedYaml(scrubber))
    options = vcr.get_merged_config(
        path=str(written),
        serializer="scrubbed",
        record_mode=RecordMode.ALL if record else RecordMode.NONE,
        before_record_request=lambda request: _scrub_request(scrubber, request),
        before_record_response=lambda response: _scrub_response(scrubber, response),
    )
    # Connections of before know nothing of the cassette, and those of now must not outlive it.
    close_connections()
    try:
        with _Cassette.use(**options) as cassette:
            cassette.unrecorded = unrecorded
            yield
        unrecorded.check()
        if record and written.exists():
            written.replace(path)
    finally:
        close_connections()
        if record:
            written.unlink(missing_ok=True)


class _Unrecorded:
    """The requests that were refused: one is told at the end, should its error be swallowed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: str | None = None

    def refuse(self, request: Any, recorded: Iterable[Any]) -> None:
        there = [f"\n  {each.method} {each.uri}" for each in recorded]
        what = f"{request.method} {request.uri}"
        if not self._path.exists():
            told = f"There is no cassette {self._path}, so {what} cannot be replayed."
        else:
            told = (
                f"{what} is not on the cassette {self._path}, or not with this body, or not as "
                f"often. On it are:{''.join(there) or ' none'}"
            )
        message = f"{told}\nRecord it with `pytest --record-http`, outside CI."
        self._first = self._first or message
        raise UnrecordedRequestError(message)

    def check(self) -> None:
        if self._first is not None:
            raise UnrecordedRequestError(self._first)


class _Cassette(Cassette):  # type: ignore[misc]  # vcrpy has no types
    """Refuses what it does not have with a message that says what to do."""

    unrecorded: _Unrecorded

    def can_play_response_for(self, request: Any) -> bool:
        if super().can_play_response_for(request):
            return True
        if self.write_protected:
            self.unrecorded.refuse(self.filter_request(request), self.requests)
        return False


class _ScrubbedYaml:
    """YAML in which no secret stands that any of the interactions has told."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def serialize(self, content: dict[str, Any]) -> str:
        return self._scrubber.text(yamlserializer.serialize(content))

    def deserialize(self, text: str) -> Any:
        return yamlserializer.deserialize(text)


def _scrub_request(scrubber: Scrubber, request: Any) -> Any:
    kind = str(request.headers.get("Content-Type", ""))
    request.headers = scrubber.headers(request.headers)
    request.body = scrubber.body(request.body, kind)
    request.uri = scrubber.url(request.uri)
    return request


def _scrub_response(scrubber: Scrubber, response: dict[str, Any]) -> dict[str, Any]:
    headers = scrubber.headers(response["headers"])
    kind = " ".join(map(str, headers.get("Content-Type", headers.get("content-type", []))))
    body = scrubber.body(response["body"].get("string"), kind)
    # What was blanked may be shorter: a length of before would cut the answer or wait for more.
    length = [name for name in headers if name.lower() == "content-length"]
    headers |= {name: [str(len(body or b""))] for name in length}
    return {**response, "headers": headers, "body": {"string": body}}
