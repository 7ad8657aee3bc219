"""How a message's bytes are divided among keys: every byte under exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.domain import Bug, Refusal

SPAN_BYTES_MAX = 1_048_576


class SpansFault(Bug):
    """A reader of ours planned spans that overlap or lie outside the message."""


class NoSuchBytes(Refusal):
    """The range asked for does not lie within the message."""


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """`length` bytes from `start` go under one key."""

    start: int
    length: int
    key_id: UUID

    @property
    def end(self) -> int:
        return self.start + self.length


def cover(spans: Sequence[SpanPlan], size_bytes: int, rest_key_id: UUID) -> list[SpanPlan]:
    """Spans that cover the whole message once, in order; what no plan names goes under the rest's key.

    Neighbours under one key become one span; a span longer than 1 MiB becomes several.

    Raises:
        SpansFault: two plans overlap, or one lies outside.
    """
    whole: list[SpanPlan] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if span.length < 0 or span.start < at or span.end > size_bytes:
            raise SpansFault(f"span {span.start}+{span.length} overlaps or leaves a message of {size_bytes} bytes")
        _append(whole, SpanPlan(at, span.start - at, rest_key_id))
        _append(whole, span)
        at = span.end
    _append(whole, SpanPlan(at, size_bytes - at, rest_key_id))
    return list(_bounded(whole))


def _append(whole: list[SpanPlan], span: SpanPlan) -> None:
    if span.length == 0:
        return
    if whole and whole[-1].key_id == span.key_id:
        whole[-1] = SpanPlan(whole[-1].start, whole[-1].length + span.length, span.key_id)
    else:
        whole.append(span)


def _bounded(spans: Iterable[SpanPlan]) -> Iterable[SpanPlan]:
    for span in spans:
        for start in range(span.start, span.end, SPAN_BYTES_MAX):
            yield SpanPlan(start, min(SPAN_BYTES_MAX, span.end - start), span.key_id)
