"""
What goes wrong between here and the server, by what it says of the request.

    OSError
    └── TransportError
        ├── NotSent          no request left: repeating is safe
        ├── Lost             it left, and its outcome is unknown
        │   └── Unanswered   the connection ended before the first byte of an answer
        └── BadResponse      bytes came that are no HTTP answer, or one too large
"""


class TransportError(OSError):
    """An exchange of request and answer failed."""


class NotSent(TransportError):
    """No connection could be made."""


class Lost(TransportError):
    """The connection, or the time, ended before the answer was whole."""


class Unanswered(Lost):
    """The server closed the connection without a byte of an answer."""


class BadResponse(TransportError):
    """The bytes received are not an HTTP answer within the limits."""
