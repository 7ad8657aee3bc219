"""Coordination of benefits in an 837: the other payers of a claim (2320, 2330) and what each decided (2430)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from canonical.money import Money

from x12.claim_parties import Address, Payer


@dataclass(frozen=True, slots=True)
class PriorAdjustment:
    """One reason of a CAS segment; a positive amount lowered the payment. `group` is CO, OA, PI or PR (CR from a 4010 payer).

    Those of one group are written into one CAS of at most six reasons; the same reason twice is added up.
    """

    group: str
    reason: str
    amount: Money
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AdjudicatedLine:
    """What an other payer decided on line `line`, counted from 1 (2430). Several of one line are a line that it unbundled.

    Per line, the charge is what was paid plus what was adjusted. `bundled_into` is the line that it was paid with
    (SVD06). Procedure and units are those that were adjudicated; empty and None are those of the claim's line.
    `remaining_liability` is what the patient still owes after it (AMT*EAF).
    """

    line: int
    paid: Money
    adjudicated_on: date
    adjustments: tuple[PriorAdjustment, ...] = ()
    procedure_code: str = ""
    modifiers: tuple[str, ...] = ()
    units: Decimal | None = None
    bundled_into: int = 0
    remaining_liability: Money | None = None


@dataclass(frozen=True, slots=True)
class OtherSubscriber:
    """Who holds the other coverage (2330A). PHI. Without a `first_name` it is an organisation, such as an employer."""

    last_name: str
    first_name: str
    member_id: str
    middle_name: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """One further payer of the claim (2320). PHI through its subscriber.

    `responsibility` is its own SBR01; `relationship` the patient's to its subscriber: 18 self, 01 spouse, 19 child, G8 other.
    `paid` is None while it has not decided. Where it has, either `lines` tell the decision line by line, or
    `adjudicated_on` and `adjustments` alone explain the difference between charge and payment; claim level
    adjustments may stand beside lines. `claim_control_number` is its own number of the claim (REF*F8).
    `remark_codes` are those that it gave the claim as a whole (MOA), at most five.
    """

    payer: Payer
    subscriber: OtherSubscriber
    responsibility: str
    relationship: str = "18"
    group_number: str = ""
    plan_name: str = ""
    insurance_type: str = ""
    paid: Money | None = None
    adjustments: tuple[PriorAdjustment, ...] = ()
    lines: tuple[AdjudicatedLine, ...] = ()
    adjudicated_on: date | None = None
    claim_control_number: str = ""
    prior_authorization: str = ""
    noncovered: Money | None = None
    remaining_liability: Money | None = None
    remark_codes: tuple[str, ...] = ()
    benefits_assigned: str = "Y"
    release_of_information: str = "Y"
