"""Writes how a claim of any kind begins: CLM, after what its lines and its other payers say has been checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from canonical.money import Money

from x12.claim_loops import assignment, signatures
from x12.claim_parties import Subscriber
from x12.errors import UnwritableValue
from x12.other_payer_balance import check_other_payers
from x12.other_payers import OtherPayer
from x12.segment_writer import SegmentWriter
from x12.writable import amount

_UNUSED_BEFORE_KIND = [""] * 7


class ChargedLine(Protocol):
    """What every service line has."""

    @property
    def charge(self) -> Money: ...


class HeadedClaim(Protocol):
    """What the CLM segments of the three kinds of claim have in common."""

    @property
    def patient_control_number(self) -> str: ...

    @property
    def frequency_code(self) -> str: ...

    @property
    def charge(self) -> Money: ...

    @property
    def accepts_assignment(self) -> str: ...

    @property
    def benefits_assigned(self) -> str: ...

    @property
    def release_of_information(self) -> str: ...

    @property
    def delay_reason(self) -> str: ...

    @property
    def lines(self) -> Sequence[ChargedLine]: ...

    @property
    def subscriber(self) -> Subscriber: ...

    @property
    def other_payers(self) -> Sequence[OtherPayer]: ...


def check_claim(field: str, claim: HeadedClaim, lines_max: int) -> None:
    """Refuse a claim with too few or too many lines, or whose other payers' decisions do not add up."""
    if not 1 <= len(claim.lines) <= lines_max:
        raise UnwritableValue(f"{field}.lines", f"must be 1 to {lines_max}")
    if claim.other_payers:
        charges = [line.charge for line in claim.lines]
        check_other_payers(field, claim.subscriber.responsibility, charges, claim.other_payers)


def write_head(
    writer: SegmentWriter,
    field: str,
    claim: HeadedClaim,
    place: tuple[str, str],
    frequencies: frozenset[str],
    *,
    signature: str = "Y",
    causes: str = "",
    kind: str = "",
) -> None:
    """CLM. `place` is CLM05-1 and 2, `signature` CLM06, `causes` CLM11 and `kind` CLM19."""
    frequency = writer.one_of(f"{field}.frequency_code", claim.frequency_code, frequencies)
    number = writer.text(f"{field}.patient_control_number", claim.patient_control_number, 20)
    total = amount(f"{field}.charge", claim.charge)
    assigned, release = signatures(writer, field, claim)
    accepted = assignment(writer, field, claim.accepts_assignment)
    delay = writer.optional(f"{field}.delay_reason", claim.delay_reason, 2)
    head = ["CLM", number, total, "", "", writer.composite(*place, frequency), signature, accepted, assigned, release]
    writer.add(*head, "", causes, *_UNUSED_BEFORE_KIND, kind, delay)
