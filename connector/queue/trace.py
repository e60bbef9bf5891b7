"""
W3C trace context of jobs: a job belongs to the trace that it was delayed in.

Its `traceparent` is kept in its context.  With OpenTelemetry installed (the extra `tracing`) it is
that of the current span, and the job runs in a span of its own below it; without, the one in the
context of the session is handed on from job to job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import propagate, trace
except ImportError:
    HAS_TELEMETRY = False
else:
    HAS_TELEMETRY = True

#: The name of the header, and of the key in a context.
TRACEPARENT = "traceparent"


def carried() -> dict[str, str]:
    """The trace context of the present moment, as keys of a job's context; empty without one."""
    if not HAS_TELEMETRY:
        return {}
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {TRACEPARENT: carrier[TRACEPARENT]} if TRACEPARENT in carrier else {}


@contextmanager
def continued(context: Mapping[str, Any], name: str, **attributes: str) -> Iterator[None]:
    """Work in a span of this name, in the trace that a job's context carries."""
    if not HAS_TELEMETRY:
        yield
        return
    parent = context.get(TRACEPARENT)
    origin = propagate.extract({TRACEPARENT: parent}) if isinstance(parent, str) else None
    span = trace.get_tracer("connector").start_span(
        name, context=origin, kind=trace.SpanKind.CONSUMER, attributes=attributes
    )
    if not span.get_span_context().is_valid:  # nobody records, and there is nothing to hand on
        yield
        return
    with trace.use_span(span, end_on_exit=True):
        yield
