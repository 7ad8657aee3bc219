"""Which submitted line each decided line pays: one to one, by the surest sign there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canonical.encounter import ChargeLine
from canonical.remittance import ServicePayment

from claims.domain.adjudication import DecidedLine, LineConfidence

_Sign = Callable[[ChargeLine, ServicePayment], bool]


def _same_code(line: ChargeLine, service: ServicePayment) -> bool:
    """By the procedure; the revenue code stands for a line that has none, such as a room (SVC01 of kind NU)."""
    return (line.procedure_code or line.revenue_code) == service.procedure_code


def _same_code_and_charge(line: ChargeLine, service: ServicePayment) -> bool:
    return _same_code(line, service) and line.amount.minor == abs(service.charge.minor)


def _same_all(line: ChargeLine, service: ServicePayment) -> bool:
    return _same_code_and_charge(line, service) and line.modifiers == service.modifiers


_SIGNS: tuple[tuple[LineConfidence, _Sign], ...] = (
    (LineConfidence.CODE_MODIFIERS_CHARGE, _same_all),
    (LineConfidence.CODE_CHARGE, _same_code_and_charge),
    (LineConfidence.CODE, _same_code),
)


def match_lines(submitted: Sequence[ChargeLine], services: Sequence[ServicePayment]) -> tuple[DecidedLine, ...]:
    """The services of one claim payment in their order, each with the submitted line it pays, if one was found.

    Our line control number (REF*6R) is the line's ordinal; without it code, modifiers and charge decide, then less. A
    surer sign of any service goes before a weaker one of another, and no line is given twice. The charge of a reversal is
    negative, and compared without its sign.
    """
    found: dict[int, tuple[int, LineConfidence]] = {}
    free = set(range(1, len(submitted) + 1))
    for index, service in enumerate(services):
        number = _ordinal(service.line_control_number)
        if number in free:
            free.remove(number)
            found[index] = (number, LineConfidence.CONTROL_NUMBER)
    for confidence, sign in _SIGNS:
        if len(found) == len(services) or not free:
            break
        for index, service in enumerate(services):
            number = 0 if index in found else _first(submitted, sorted(free), service, sign)
            if number:
                free.remove(number)
                found[index] = (number, confidence)
    unfound = (0, LineConfidence.NONE)
    return tuple([_decided(service, *found.get(index, unfound)) for index, service in enumerate(services)])


def _ordinal(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0


def _first(submitted: Sequence[ChargeLine], free: Sequence[int], service: ServicePayment, sign: _Sign) -> int:
    return next((number for number in free if sign(submitted[number - 1], service)), 0)


def _decided(service: ServicePayment, line: int, confidence: LineConfidence) -> DecidedLine:
    return DecidedLine.trusted(
        line=line,
        confidence=confidence,
        charge=service.charge,
        paid=service.paid,
        adjustment_count=len(service.adjustments),
        remark_codes=service.remark_codes,
    )
