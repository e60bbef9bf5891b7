"""Jobs belong to the trace that they are delayed in."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace as telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connector.queue import trace
from connector.queue.job import OpenERPJobStorage, job

MODEL = "res.partner"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@job
def sample(session: Any, model_name: str) -> str:
    """Delay another one."""
    return outer.delay(session, model_name)


@job
def outer(session: Any, model_name: str) -> None:
    """Do nothing."""


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that ended, of a provider of the test's own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "get_tracer", provider.get_tracer)
    return exporter


def test_a_job_runs_in_a_span_below_the_one_that_delayed_it(session, spans):
    """
    The span of a job has the trace of whoever delayed it, and so have the jobs that it delays.
    """
    storage = OpenERPJobStorage(session)
    with telemetry.get_tracer("test").start_as_current_span("request") as request:
        made = storage.load(sample.delay(session, MODEL))

    inner = storage.load(made.perform(session))

    span = next(each for each in spans.get_finished_spans() if each.name.endswith(".sample"))
    asked = request.get_span_context()
    assert (span.context.trace_id, span.parent.span_id) == (asked.trace_id, asked.span_id)
    assert span.attributes["job"] == made.uuid
    assert inner.context["traceparent"].split("-")[1] == f"{asked.trace_id:032x}"
    assert inner.context["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"


def test_without_telemetry_the_trace_is_handed_on(session, monkeypatch):
    """
    A `traceparent` in the context of a session is kept with its jobs, and with theirs.
    """
    monkeypatch.setattr(trace, "HAS_TELEMETRY", False)
    storage = OpenERPJobStorage(session)
    with session.change_context(traceparent=PARENT):
        made = storage.load(sample.delay(session, MODEL))

    inner = storage.load(made.perform(session))

    assert made.context["traceparent"] == inner.context["traceparent"] == PARENT
