"""Billing-ready transactions as a platform reads them: JSON Lines whose trailer must agree with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from canonical.codes import AdjustmentGroup, ClaimType
from canonical.money import Money

from sandbox.world.received_claims import (
    PRIMARY,
    SECONDARY,
    TERTIARY,
    Adjustment,
    PriorLine,
    PriorPayment,
    ReceivedClaim,
    ReceivedLine,
)

FORMAT = "billing-ready.v1"
_PLACES = (PRIMARY, SECONDARY, TERTIARY)
_Record = Mapping[str, Any]


class NotTransactions(ValueError):
    """The bytes are no batch of transactions, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One claim, with the ids by which its encounter is named to the biller."""

    claim: ReceivedClaim
    encounter_id: str


@dataclass(frozen=True, slots=True)
class Batch:
    number: str
    platform: str
    entity: str
    transactions: tuple[Transaction, ...]


def read_batch(content: bytes) -> Batch:
    """Raises NotTransactions for what is cut short or does not add up."""
    try:
        head, *records, trail = [json.loads(line) for line in content.splitlines()]
        claims = tuple(Transaction(_claim(head, record), record["encounter_id"]) for record in records)
        whole = (trail["record"], trail["claims"]) == ("trail", len(claims))
        total = Money.total(each.claim.charge for each in claims)
        if head["format"] != FORMAT or not whole or total != _money(trail["total"]):
            raise NotTransactions("the control totals say something else")
        return Batch(head["batch"], head["platform"], head["entity"]["code"], claims)
    except (ValueError, KeyError, TypeError) as error:
        raise NotTransactions(str(error)) from error


def _money(text: str) -> Money:
    """`12.30 USD`."""
    return Money.of(text.removesuffix(" USD"))


def _day(text: str) -> str:
    return text[:10].replace("-", "")


def _claim(head: _Record, record: _Record) -> ReceivedClaim:
    details, kind = record["details"], ClaimType(record["claim_type"])
    stay, coverage = details.get("stay", {}), _coverage(record)
    is_facility = kind is ClaimType.INSTITUTIONAL
    return ReceivedClaim(
        patient_control_number=record["control_number"],
        charge=_money(record["total"]),
        place_of_service=stay["bill_type"] if is_facility else record["place_of_service"],
        frequency=record["frequency"],
        billing_npi=head["entity"]["npi"],
        payer_identifier=head["payer"]["x12_identifier"],
        member_id=coverage.get("member_id", ""),
        family_name=details["patient"]["family_name"],
        given_name=details["patient"]["given_name"],
        lines=tuple(_line(head, record, line) for line in record["lines"]),
        sequence=_PLACES[record["sequence"] - 1],
        prior=tuple(_prior(head, record)),
        payer_reference=record["replaces"],
        claim_type=kind,
        statement=(_day(record["service_from"]), _day(record["service_to"])) if is_facility else ("", ""),
        admitted_on=stay.get("admitted_at", "")[:8],
        drg=stay.get("drg", ""),
    )


def _coverage(record: _Record) -> _Record:
    """That of the payer whose turn it is."""
    details, sequence = record["details"], record["sequence"]
    found: _Record = details.get("coverage", {}) if sequence == 1 else details["other_coverages"][sequence - 2]
    return found


def _line(head: _Record, record: _Record, line: _Record) -> ReceivedLine:
    return ReceivedLine(
        procedure_code=line.get("procedure_code", ""),
        modifiers=tuple(line.get("modifiers", ())),
        charge=_money(line["amount"]),
        units=str(line.get("units", "1")),
        service_date=_day(line["service_date"]),
        control_number=str(line["line"]),
        prior=tuple(_prior_lines(head, record, line["line"])),
        revenue_code=line.get("revenue_code", ""),
        tooth=line.get("dental", {}).get("tooth", ""),
    )


def _identifiers(head: _Record) -> dict[str, str]:
    return {each["code"]: each["x12_identifier"] for each in head["other_payers"]}


def _prior(head: _Record, record: _Record) -> Iterator[PriorPayment]:
    """The payers before, with what they paid, and those that come after, who have paid nothing yet."""
    identifiers = _identifiers(head)
    for place, prior in enumerate(record["prior"]):
        adjustments = tuple(map(_adjustment, prior["adjustments"]))
        yield PriorPayment(_PLACES[place], identifiers[prior["payer"]], _money(prior["paid"]), adjustments)
    for place, following in enumerate(record["next_payers"], record["sequence"]):
        yield PriorPayment(_PLACES[place], identifiers[following["payer"]], None, ())


def _prior_lines(head: _Record, record: _Record, number: int) -> Iterator[PriorLine]:
    identifiers = _identifiers(head)
    for prior in record["prior"]:
        for line in prior["lines"]:
            if line["line"] == number:
                adjustments = tuple(map(_adjustment, line["adjustments"]))
                paid_on = _day(prior["adjudication_date"])
                yield PriorLine(identifiers[prior["payer"]], _money(line["paid"]), adjustments, paid_on)


def _adjustment(said: _Record) -> Adjustment:
    return Adjustment(AdjustmentGroup(said["group"]), said["reason"], _money(said["amount"]))
