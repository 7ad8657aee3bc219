"""The remittance advice (835, 005010X221A1) as read: header, claim payments one by one, trailer.

These classes stand in the hot path of files with a million claims, so they are plain slotted dataclasses that nobody
checks or freezes; amounts are cents in `..._minor` with a `Money` beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from canonical.money import Money

from x12.envelope import TransactionSet
from x12.findings import Finding
from x12.segments import element_of, readable
from x12.values import quantity_of

REVERSAL_STATUS = "22"
PHI_NAME_CODES = frozenset(["QC", "IL", "74", "GB"])
PARTY_CODES = frozenset(["82", "TT", "PR"])
MOVES_NO_MONEY = frozenset(["23", "25"])


@dataclass(slots=True)
class Adjustment:
    """One CAS triplet. A positive amount lowers the payment, a negative one raises it."""

    group: str
    reason: str
    amount_minor: int
    quantity_text: str
    position: int

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor)

    @property
    def quantity(self) -> Decimal | None:
        return quantity_of(self.quantity_text)


@dataclass(slots=True)
class ServiceLine:
    """One SVC loop (2110). `procedure` holds the components of SVC01: qualifier, code, up to four modifiers.

    `remark_codes` are the RARCs of LQ*HE, `rejection_codes` the codes of any other list (LQ*RX of a pharmacy).
    """

    position: int
    procedure: list[str]
    charge_minor: int
    paid_minor: int
    revenue_code: str
    units_text: str
    original_procedure: str
    original_units_text: str
    line_control_number: str = ""
    adjustments: list[Adjustment] = field(default_factory=list)
    dates: list[tuple[str, date | None]] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, int | None]] = field(default_factory=list)
    quantities: list[tuple[str, str]] = field(default_factory=list)
    remark_codes: list[str] = field(default_factory=list)
    rejection_codes: Sequence[str] = ()

    @property
    def charge(self) -> Money:
        return Money(self.charge_minor)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor)

    @property
    def qualifier(self) -> str:
        return self.procedure[0]

    @property
    def procedure_code(self) -> str:
        return element_of(self.procedure, 1)

    @property
    def modifiers(self) -> tuple[str, ...]:
        return tuple(modifier for modifier in self.procedure[2:6] if modifier)

    @property
    def units(self) -> Decimal | None:
        """Units paid (SVC05); the standard means one where it is absent."""
        return quantity_of(self.units_text or "1")

    @property
    def service_date(self) -> date | None:
        """DTM*472, or the start of the service period DTM*150."""
        return date_with(self.dates, "472") or date_with(self.dates, "150")


@dataclass(frozen=True, slots=True)
class Person:
    """A name of an NM1 segment with its identifier. PHI for every code but those of `PARTY_CODES`."""

    last_name: str
    first_name: str
    middle_name: str
    suffix: str
    identifier_qualifier: str
    identifier: str


def person_of(nm1: list[str]) -> Person:
    """The name and identifier of a split NM1 segment."""
    return Person(
        readable(element_of(nm1, 3)),
        readable(element_of(nm1, 4)),
        readable(element_of(nm1, 5)),
        readable(element_of(nm1, 7)),
        element_of(nm1, 8),
        element_of(nm1, 9),
    )


@dataclass(slots=True)
class ClaimPhi:
    """What names a patient in one claim: the NM1 segments by entity code. Keep it apart, seal it, or drop it."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def _person(self, code: str) -> Person | None:
        return person_of(self.names[code]) if code in self.names else None

    @property
    def patient(self) -> Person | None:
        return self._person("QC")

    @property
    def insured(self) -> Person | None:
        return self._person("IL")

    @property
    def corrected(self) -> Person | None:
        """The patient or insured as the payer knows them (NM1*74)."""
        return self._person("74")

    @property
    def other_subscriber(self) -> Person | None:
        return self._person("GB")


@dataclass(slots=True)
class ClaimPayment:
    """One CLP loop (2100) with its lines.

    `index` is the claim's ordinal in its set, from 0; `position` that of the CLP segment; `offset` and `length` the
    bytes from CLP to the last segment of the claim. `header_number` is LX01 and `provider_id` TS301 of the group
    it stands in; `provider_summary` and `provider_supplement` are the TS3 and TS2 segments there, `inpatient` and `outpatient`
    the MIA and MOA segments, `contacts` the PER segments, all split. `parties` are the NM1 segments that name no patient
    (82 rendering, TT crossover carrier, PR the payer that should have come first).
    """

    index: int
    position: int
    offset: int
    length: int
    patient_control_number: str
    status: str
    charge_minor: int
    paid_minor: int
    patient_responsibility_minor: int
    patient_responsibility_stated: bool
    filing_indicator: str
    payer_control_number: str
    facility_code: str
    frequency_code: str
    drg_code: str
    header_number: str = ""
    provider_id: str = ""
    adjustments: list[Adjustment] = field(default_factory=list)
    lines: list[ServiceLine] = field(default_factory=list)
    remark_codes: list[str] = field(default_factory=list)
    dates: list[tuple[str, date | None]] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, int | None]] = field(default_factory=list)
    quantities: list[tuple[str, str]] = field(default_factory=list)
    parties: dict[str, list[str]] = field(default_factory=dict)
    phi: ClaimPhi = field(default_factory=ClaimPhi)
    provider_summary: Sequence[str] = ()
    provider_supplement: Sequence[str] = ()
    inpatient: Sequence[str] = ()
    outpatient: Sequence[str] = ()
    contacts: Sequence[list[str]] = ()

    @property
    def charge(self) -> Money:
        return Money(self.charge_minor)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor)

    @property
    def patient_responsibility(self) -> Money:
        return Money(self.patient_responsibility_minor)

    @property
    def is_reversal(self) -> bool:
        return self.status == REVERSAL_STATUS

    @property
    def statement_start(self) -> date | None:
        return date_with(self.dates, "232")

    @property
    def statement_end(self) -> date | None:
        return date_with(self.dates, "233")


@dataclass(slots=True)
class Party:
    """Payer (N1*PR) or payee (N1*PE). `address`, `contacts` and `delivery` are its N3/N4, PER and RDM segments, split."""

    name: str = ""
    identifier_qualifier: str = ""
    identifier: str = ""
    references: list[tuple[str, str]] = field(default_factory=list)
    address: list[list[str]] = field(default_factory=list)
    contacts: list[list[str]] = field(default_factory=list)
    delivery: list[str] = field(default_factory=list)

    @property
    def npi(self) -> str:
        """The NPI, or empty where the party is not named by one."""
        return self.identifier if self.identifier_qualifier == "XX" else ""

    @property
    def tax_id(self) -> str:
        """The federal tax id, of N104 or of REF*TJ."""
        if self.identifier_qualifier == "FI":
            return self.identifier
        return next((value for qualifier, value in self.references if qualifier == "TJ"), "")


@dataclass(slots=True)
class RemittanceHeader:
    """BPR, TRN and the two parties. `trace_number` with `payer_identifier` (TRN03) names the payment.

    `payment_position` is that of the BPR segment; `currency_details` the CUR segment, split, where there is one.
    """

    transaction_set: TransactionSet
    handling_code: str = ""
    payment_minor: int = 0
    is_debit: bool = False
    payment_method: str = ""
    payment_format: str = ""
    originating_company: str = ""
    effective_date: date | None = None
    trace_number: str = ""
    payer_identifier: str = ""
    originating_company_supplement: str = ""
    currency: str = "USD"
    currency_details: list[str] = field(default_factory=list)
    payment_position: int = 2
    production_date: date | None = None
    dates: list[tuple[str, date | None]] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    payer: Party = field(default_factory=Party)
    payee: Party = field(default_factory=Party)

    @property
    def payment(self) -> Money:
        """BPR02, as it stands."""
        return Money(self.payment_minor)

    @property
    def net_minor(self) -> int:
        """What the payee receives, in cents; negative where BPR03 says that the payee's account is debited."""
        return -self.payment_minor if self.is_debit else self.payment_minor


@dataclass(slots=True)
class ProviderAdjustment:
    """One pair of a PLB segment, which spans `length` bytes from `offset`. A positive amount lowers the payment."""

    provider_id: str
    fiscal_date: date | None
    reason: str
    reference: str
    amount_minor: int
    position: int
    offset: int = 0
    length: int = 0

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor)


@dataclass(slots=True)
class RemittanceTotals:
    """Sums over the claims and provider adjustments of one set, in cents."""

    claims: int = 0
    lines: int = 0
    charge_minor: int = 0
    paid_minor: int = 0
    patient_responsibility_minor: int = 0
    provider_adjustment_minor: int = 0
    reversals: int = 0


@dataclass(slots=True)
class RemittanceTrailer:
    """What follows the last claim, the sums, and the findings that locate what does not add up (empty: balanced).

    `residual_minor` is the largest amount that is out at any of the three levels, zero only where all of them balance.
    The verdict of the set is final once the interchange has ended.
    """

    header: RemittanceHeader
    totals: RemittanceTotals
    provider_adjustments: list[ProviderAdjustment]
    residuals: list[Finding]
    residual_minor: int = 0

    @property
    def transaction_set(self) -> TransactionSet:
        return self.header.transaction_set


RemittanceEvent = RemittanceHeader | ClaimPayment | RemittanceTrailer


def date_with(dates: list[tuple[str, date | None]], qualifier: str) -> date | None:
    """The first date with this qualifier, if there is one."""
    for code, value in dates:
        if code == qualifier:
            return value
    return None
