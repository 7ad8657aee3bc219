"""A platform's report as a payer's file: one pass tells what it holds and whether it adds up, another gives its payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from canonical.remittance import ClaimPayment
from chassis.inbound.giving_way import GivingWay
from chassis.telemetry.metrics import DOOR_REFUSALS
from pydantic import ValidationError

from intake.adapters.platform_reports.records import FORMAT, LINE, Head, Line, Payment, RemittanceHead
from intake.adapters.platform_reports.surveying import Surveying
from intake.adapters.platform_reports.values import claim_payment_of
from intake.adapters.portions import Portions, weight_of
from intake.application.deliveries import FileOutcome
from intake.application.ports import PayerFile, Survey
from intake.domain.partner_answer import AnswerKind

SOURCE = "platform"
KIND = "platform-report"
LINE_BYTES_MAX = 1_048_576
_HEAD_BYTES = 512


class Unreadable(Exception):
    """A line is not what a report may hold; the message names line, field and rule."""


def is_platform_report(raw: bytes) -> bool:
    """Whether the first line says so."""
    return raw[:1] == b"{" and f'"{FORMAT}"'.encode() in raw[:_HEAD_BYTES].split(b"\n", 1)[0]


def take_report(
    receive: Callable[[PayerFile], FileOutcome], name: str, raw: bytes, *, way: GivingWay | None = None
) -> bool:
    """Receives one report; true where all of it went on."""
    quarantined = receive(PlatformReport(name, raw, way=way)).quarantined
    if quarantined:
        DOOR_REFUSALS.labels("files", "platform-report").inc()
    return not quarantined


class PlatformReport:
    """A `PayerFile` in memory; the same name and bytes are the same message. `way` is given to whoever waits meanwhile."""

    def __init__(self, name: str, raw: bytes, *, way: GivingWay | None = None) -> None:
        self._way = way or GivingWay()
        self.delivery_key = name
        self.raw = raw
        self.source = SOURCE
        self.format = KIND

    def answer(self, interchange: int, kind: AnswerKind, number: int, now: datetime) -> bytes | None:
        """Nothing: a report has no interchanges, and is answered by being taken."""
        return None

    def survey(self) -> Survey:
        surveying = Surveying()
        try:
            for number, (start, length, line) in enumerate(self._way.paced(_lines(self.raw)), 1):
                surveying.take(number, start, length, line)
        except Unreadable as refused:
            return surveying.cut_short(str(refused))
        return surveying.finished()

    def parts(self, ordinal: int) -> Iterator[Sequence[ClaimPayment]]:
        """The payments of remittance `ordinal`, part by part."""
        current, position, portions, part = -1, 0, Portions(), list[ClaimPayment]()
        for start, length, line in self._way.paced(_lines(self.raw)):
            if isinstance(line, RemittanceHead):
                current += 1
            elif isinstance(line, Payment) and current == ordinal:
                payment = claim_payment_of(line, position, start, length)
                position += 1
                if portions.opens_next(weight_of(len(line.lines), len(payment.all_adjustments))) and part:
                    yield part
                    part = []
                part.append(payment)
        if part:
            yield part


def _lines(raw: bytes) -> Iterator[tuple[int, int, Line]]:
    """Each line with its first byte and length; the first is a head.

    Raises:
        Unreadable: see there.
    """
    start = 0
    for number, line in enumerate(raw.splitlines(keepends=True), 1):
        if len(line) > LINE_BYTES_MAX:
            raise Unreadable(f"line {number}: line-size: more than {LINE_BYTES_MAX} bytes")
        try:
            read = LINE.validate_json(line)
        except ValidationError as faulty:
            fault = faulty.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(each) for each in fault["loc"] if isinstance(each, int) or each.islower())
            raise Unreadable(f"line {number} {place}: {fault['type']}") from None
        if isinstance(read, Head) is not (number == 1):
            raise Unreadable(f"line {number}: head: a report has one, in its first line")
        yield start, len(line), read
        start += len(line)
