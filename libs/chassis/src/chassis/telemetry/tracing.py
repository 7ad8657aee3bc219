"""Spans around calls and batches, named by method or consumer and never by an id; nothing is exported by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

_TRACER = trace.get_tracer("throughline")


def configure_traces(service: str, exporter: SpanExporter | None) -> TracerProvider | None:
    """Exports spans of this process; without an exporter nothing is recorded."""
    if exporter is None:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": f"throughline-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def exporter_named(name: str) -> SpanExporter | None:
    """The exporter of a settings value: `off` or `console`."""
    return ConsoleSpanExporter() if name == "console" else None


@contextmanager
def span(name: str, traceparent: str) -> Iterator[None]:
    """One span below the caller's; `name` is a method or a consumer."""
    parent = propagate.extract({"traceparent": traceparent})
    with _TRACER.start_as_current_span(name, context=parent):
        yield
