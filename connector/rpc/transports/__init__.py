"""HTTP clients of our own, quicker than the general ones: stdlib only, keep-alive, bounded."""

from connector.rpc.failures import BadResponse, Lost, NotSent, TransportError, Unanswered
from connector.rpc.transports.asynchronous import AsyncHttpTransport
from connector.rpc.transports.blocking import HttpTransport

__all__ = [
    "AsyncHttpTransport",
    "BadResponse",
    "HttpTransport",
    "Lost",
    "NotSent",
    "TransportError",
    "Unanswered",
]
