"""Writes segments of one outbound interchange: exact envelopes, counted segments, nothing that X12 cannot hold."""

from __future__ import annotations

from x12.errors import UnwritableValue
from x12.submission_envelope import SubmissionEnvelope
from x12.writable import Writable, day

CONTROL_NUMBER_MAX = 999_999_999
_USAGES = frozenset(["P", "T"])


class SegmentWriter:
    """Collects the segments of an interchange: `open_group`, then sets between `open_set` and `close_set`, then `close`.

    Raises `UnwritableValue`, everywhere, for a value that cannot stand as it is.
    """

    def __init__(self, envelope: SubmissionEnvelope) -> None:
        self._writable = Writable(envelope.delimiters)
        self._envelope = envelope
        self._separator = envelope.delimiters.element
        self._component = envelope.delimiters.component
        self._texts: list[str] = []
        self._set_start = 0
        self._sets = 0
        self._groups = 0
        self._levels = 0
        self._group = _control_number("envelope.group_control_number", envelope.group_control_number)
        self._header()

    def add(self, *elements: str) -> None:
        """One segment; empty elements at its end are left out."""
        self._texts.append(self._separator.join(elements).rstrip(self._separator))

    def composite(self, *parts: str) -> str:
        """One composite element; empty components at its end are left out."""
        return self._component.join(parts).rstrip(self._component)

    def repeated(self, *elements: str) -> str:
        """One element that occurs several times."""
        return self._envelope.delimiters.repetition.join(elements)

    def text(self, field: str, value: str, longest: int, *, shortest: int = 1) -> str:
        """A value that must be there."""
        return self._writable.text(field, value, longest, shortest=shortest)

    def optional(self, field: str, value: str, longest: int, *, shortest: int = 1) -> str:
        """A value that may be empty."""
        return self._writable.text(field, value, longest, needed=False, shortest=shortest) if value else ""

    def one_of(self, field: str, value: str, allowed: frozenset[str]) -> str:
        return self._writable.one_of(field, value, allowed)

    def open_group(self, functional_id: str, guide: str) -> None:
        """GS. There is at most one group; it has the envelope's group control number."""
        created = self._envelope.created
        date, time = day(created.date()), f"{created:%H%M}"
        sender, receiver = self._envelope.sender_id, self._envelope.receiver_id
        self.add("GS", functional_id, sender, receiver, date, time, self._group, "X", guide)
        self._groups += 1

    def open_set(self, kind: str, guide: str) -> None:
        """ST. Sets are numbered from 0001."""
        self._sets += 1
        self._levels = 0
        self._set_start = len(self._texts)
        self.add("ST", kind, f"{self._sets:04d}", guide)

    def open_hierarchy(self, structure: str, purpose: str, kind: str = "") -> None:
        """BHT, with the envelope's reference and instant."""
        created = self._envelope.created
        reference = self.text("envelope.reference", self._envelope.reference, 50)
        self.add("BHT", structure, purpose, reference, day(created.date()), f"{created:%H%M}", kind)

    def level(self, parent: int, code: str, *, children: bool | None) -> int:
        """HL; gives its number, counted within the set. `children` is None where the guide does not use HL04."""
        self._levels += 1
        below = "" if children is None else "1" if children else "0"
        self.add("HL", str(self._levels), str(parent) if parent else "", code, below)
        return self._levels

    def close_set(self) -> None:
        self.add("SE", str(len(self._texts) - self._set_start + 1), f"{self._sets:04d}")

    def close(self) -> bytes:
        """GE where a group is open, and IEA: the whole interchange as ASCII bytes without line breaks."""
        if self._groups:
            self.add("GE", str(self._sets), self._group)
        self.add("IEA", str(self._groups), f"{self._envelope.interchange_control_number:09d}")
        terminator = self._envelope.delimiters.terminator
        return (terminator.join(self._texts) + terminator).encode("ascii")

    def _header(self) -> None:
        envelope = self._envelope
        number = _control_number("envelope.interchange_control_number", envelope.interchange_control_number)
        parties = [
            self.text("envelope.sender_qualifier", envelope.sender_qualifier, 2, shortest=2),
            self.text("envelope.sender_id", envelope.sender_id, 15, shortest=2).ljust(15),
            self.text("envelope.receiver_qualifier", envelope.receiver_qualifier, 2, shortest=2),
            self.text("envelope.receiver_id", envelope.receiver_id, 15, shortest=2).ljust(15),
        ]
        usage = self.one_of("envelope.usage", envelope.usage, _USAGES)
        instant = [f"{envelope.created:%y%m%d}", f"{envelope.created:%H%M}"]
        delimiters = envelope.delimiters
        header = ["ISA", "00", " " * 10, "00", " " * 10, *parties, *instant, delimiters.repetition, "00501"]
        header += [number.zfill(9), "0", usage, delimiters.component]
        self._texts.append(self._separator.join(header))


def _control_number(field: str, number: int) -> str:
    if not 1 <= number <= CONTROL_NUMBER_MAX:
        raise UnwritableValue(field, f"must be 1 to {CONTROL_NUMBER_MAX}")
    return str(number)
