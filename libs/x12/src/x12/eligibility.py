"""A 270 and its 271: who is asked about, and what the payer says of the coverage. Plain typed values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.remittance import Person, person_of

HEALTH_BENEFIT_PLAN_COVERAGE = "30"
ACTIVE = frozenset(["1", "2", "3", "4", "5"])
INACTIVE = frozenset(["6", "7", "8"])
CO_INSURANCE, CO_PAYMENT, DEDUCTIBLE, OUT_OF_POCKET = "A", "B", "C", "G"


@dataclass(frozen=True, slots=True)
class InquiringProvider:
    """Who asks (2100B): an organisation, or a person where there is a `first_name`."""

    name: str
    npi: str
    first_name: str = ""


@dataclass(frozen=True, slots=True)
class InquiredPayer:
    """Who is asked (2100A)."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class InquiredPerson:
    """A subscriber, or a dependent, who has no `member_id` of its own. PHI. Gender is F, M or empty."""

    last_name: str
    first_name: str
    birth_date: date | None
    gender: str = ""
    member_id: str = ""
    middle_name: str = ""


@dataclass(frozen=True, slots=True)
class EligibilityInquiry:
    """One question (a subscriber of 2000C, or its dependent of 2000D). PHI.

    `trace` comes back in the answer (TRN02); `service_types` are EQ01, 30 for the plan as a whole.
    """

    trace: str
    payer: InquiredPayer
    provider: InquiringProvider
    subscriber: InquiredPerson
    service_date: date
    dependent: InquiredPerson | None = None
    service_types: tuple[str, ...] = (HEALTH_BENEFIT_PLAN_COVERAGE,)


@dataclass(frozen=True, slots=True)
class Rejection:
    """An AAA segment: the question could not be answered. `reason` is AAA03 (72 invalid member, 75 not found), `follow_up` AAA04.

    `level` is HL03 of where it stands: 20 payer, 21 provider, 22 subscriber, 23 dependent.
    """

    level: str
    reason: str
    follow_up: str
    position: int


@dataclass(frozen=True, slots=True)
class Benefit:
    """One EB segment. `information` is EB01 (1 active, A co-insurance, B copayment, C deductible), `service_types` EB03.

    `share` is EB08, 0.2 for twenty percent. `in_network` is EB12: Y, N, W (both) or empty. `period` is EB06 (23
    calendar year, 27 visit, 29 remaining). `dates` are the qualifier and text of the DTP below it, `messages` its MSG.
    """

    information: str
    coverage_level: str
    service_types: tuple[str, ...]
    insurance_type: str
    plan: str
    period: str
    amount_minor: int | None
    share: Decimal | None
    quantity_qualifier: str
    quantity: Decimal | None
    authorization_required: str
    in_network: str
    position: int
    dates: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor)


@dataclass(slots=True)
class EligibilityAnswer:
    """What a 271 says of one person. `trace` is the TRN02 that we sent, `submission_reference` the BHT03.

    `offset` and `length` are its bytes, from its HL. Where the payer or the provider is rejected and no person follows,
    one answer without a trace says so. `name` is the person's NM1 segment: PHI, like what `offset` spans.
    """

    transaction_set: TransactionSet
    position: int
    offset: int
    length: int
    submission_reference: str
    trace: str
    payer_name: str
    payer_identifier: str
    member_id: str
    is_dependent: bool
    benefits: list[Benefit] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    dates: list[tuple[str, str]] = field(default_factory=list)
    group_number: str = ""
    name: list[str] = field(default_factory=list)

    @property
    def person(self) -> Person | None:
        """PHI."""
        return person_of(self.name) if self.name else None

    @property
    def is_active(self) -> bool | None:
        """Of the plan as a whole where EB*..30 tells it, else of any service type; None where the payer does not say."""
        told = [each for each in self.benefits if each.information in ACTIVE | INACTIVE]
        plan = [each for each in told if HEALTH_BENEFIT_PLAN_COVERAGE in each.service_types] or told
        if not plan:
            return None
        return any(each.information in ACTIVE for each in plan)

    @property
    def plan(self) -> str:
        """The first plan that an active coverage names."""
        return next((each.plan for each in self.benefits if each.plan and each.information in ACTIVE), "")

    def amounts(self, information: str, service_type: str = HEALTH_BENEFIT_PLAN_COVERAGE) -> list[Benefit]:
        """What is owed of one kind, such as `DEDUCTIBLE`, for one service type."""
        return [
            each for each in self.benefits if each.information == information and service_type in each.service_types
        ]
