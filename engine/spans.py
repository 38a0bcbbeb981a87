"""Spans of commits, for whoever has configured a tracer provider of OpenTelemetry in the process.

Only its API is used; without a provider a span is nothing, and costs a few microseconds a commit.
"""

from __future__ import annotations

import time

from opentelemetry import trace

_tracer = trace.get_tracer("daybook")


def committed(name: str, took_s: float, **figures: int) -> None:
    """A commit has just ended that took so long. figures: become attributes, `daybook.<name>`."""
    now_ns = time.time_ns()
    span = _tracer.start_span(
        name,
        start_time=now_ns - int(took_s * 1e9),
        attributes={f"daybook.{figure}": value for figure, value in figures.items()},
    )
    span.end(now_ns)
