"""Checks that what other payers decided on a claim adds up: by line, by claim, and with each payer told from the others."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.money import Money

from x12.errors import UnwritableValue
from x12.other_payers import AdjudicatedLine, OtherPayer, PriorAdjustment

OTHER_PAYERS_MAX = 10
DECISIONS_OF_A_LINE_MAX = 15


def check_other_payers(
    field: str, responsibility: str, charges: Sequence[Money], other_payers: Sequence[OtherPayer]
) -> None:
    """Refuse decisions that do not add up, with the place.

    Per line: charge = paid (SVD02) + line adjustments. Per claim: paid (AMT*D) = sum of the lines' paid - claim level
    adjustments, or charge = paid + claim level adjustments where there are no lines.

    Raises:
        UnwritableValue: an equation does not hold; the message names claim, line and payer by their places, and the residual.
    """
    if len(other_payers) > OTHER_PAYERS_MAX:
        raise UnwritableValue(f"{field}.other_payers", f"must be at most {OTHER_PAYERS_MAX}")
    places = [responsibility, *(other.responsibility for other in other_payers)]
    if len(set(places)) < len(places):
        raise UnwritableValue(f"{field}.other_payers", "two payers have the same place in line (SBR01)")
    identifiers = {other.payer.identifier for other in other_payers}
    if len(identifiers) < len(other_payers):
        raise UnwritableValue(f"{field}.other_payers", "two have the same identifier, which lines refer to (SVD01)")
    for index, other in enumerate(other_payers):
        _check_payer(field, index, charges, other)
    for number in range(1, len(charges) + 1):
        decisions = sum(each.line == number for other in other_payers for each in other.lines)
        if decisions > DECISIONS_OF_A_LINE_MAX:
            raise UnwritableValue(
                f"{field}.lines[{number - 1}]", f"has more than {DECISIONS_OF_A_LINE_MAX} decisions of other payers"
            )


def _check_payer(field: str, index: int, charges: Sequence[Money], other: OtherPayer) -> None:
    place = f"{field}.other_payers[{index}]"
    if other.paid is None:
        if other.lines or other.adjustments or other.adjudicated_on:
            raise UnwritableValue(f"{place}.paid", "must be given where there are lines, adjustments or a day")
        return
    adjusted = _total(other.adjustments)
    if not other.lines:
        if other.adjudicated_on is None:
            raise UnwritableValue(f"{place}.adjudicated_on", "must be given where there are no lines")
        charge = Money.total(charges)
        if charge != other.paid + adjusted:
            raise UnwritableValue(place, _explained("the claim's charge", charge, other.paid, adjusted))
        return
    _check_told_once(place, other)
    for number, charge in enumerate(charges, 1):
        decisions = [line for line in other.lines if line.line == number]
        _check_line(f"{field}.lines[{number - 1}]", index, charge, decisions)
    if not all(1 <= line.line <= len(charges) for line in other.lines):
        raise UnwritableValue(f"{place}.lines", "one is of a line that the claim does not have")
    paid = Money.total(line.paid for line in other.lines)
    if paid - adjusted != other.paid:
        raise UnwritableValue(f"{place}.paid", _explained("what the lines were paid", paid, other.paid, adjusted))


def _check_told_once(place: str, other: OtherPayer) -> None:
    if other.adjudicated_on is not None:
        raise UnwritableValue(f"{place}.adjudicated_on", "stands at each line where there are lines")
    if other.remaining_liability is not None and any(line.remaining_liability is not None for line in other.lines):
        raise UnwritableValue(f"{place}.remaining_liability", "stands at the claim or at its lines, not at both")


def _check_line(field: str, index: int, charge: Money, decisions: Sequence[AdjudicatedLine]) -> None:
    if not decisions:
        raise UnwritableValue(field, f"other_payers[{index}] tells other lines and not this one")
    paid = Money.total(line.paid for line in decisions)
    adjusted = _total([adjustment for line in decisions for adjustment in line.adjustments])
    if charge != paid + adjusted:
        told = _explained("its charge", charge, paid, adjusted)
        raise UnwritableValue(field, f"other_payers[{index}]: {told}")


def _total(adjustments: Sequence[PriorAdjustment]) -> Money:
    return Money.total(adjustment.amount for adjustment in adjustments)


def _explained(what: str, whole: Money, paid: Money, adjusted: Money) -> str:
    residual = whole - paid - adjusted
    return (
        f"{what} {whole.decimal_text} is not {paid.decimal_text} paid + {adjusted.decimal_text} adjusted;"
        f" residual {residual.decimal_text}"
    )
