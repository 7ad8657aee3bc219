"""The rows of master data, list by list: each is valid from a day on, and perhaps until one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import Field

from canonical.classes import CanonicalModel, Public
from canonical.codes import ClaimType, PayerClass
from canonical.money import Money
from canonical.party import OrganizationAddress
from canonical.time_zones import ZoneName

CLAIMS_PER_INTERCHANGE_MAX = 500
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"


class UnknownMasterData(LookupError):
    """A code that master data does not know on that date; the message names list, code and date."""


class Dated(CanonicalModel, extra="forbid"):
    """A row valid from `valid_from` on, until `valid_until` where that is given (both days included)."""

    code: Public[str] = Field(min_length=1)
    valid_from: Public[date] = date(2000, 1, 1)
    valid_until: Public[date] | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def overlaps(self, other: Dated) -> bool:
        """Whether there is a day on which both hold."""
        return self.valid_from <= (other.valid_until or date.max) and other.valid_from <= (self.valid_until or date.max)


class Entity(Dated):
    """A legal entity: it bills under its NPI and tax id, and has its own books and bank account.

    `bills` is how it bills what is done for it, unless the department says otherwise; without it, stays are institutional
    and everything else is professional. Charges of services before `books_open_from` are booked on that day.
    `claims_worked_by` names the external platform that works its claims; empty where we do. `time_zone` is the IANA name of its
    clocks: they say which day lies in the future.
    """

    name: Public[str]
    npi: Public[str]
    tax_id: Public[str]
    taxonomy: Public[str] = "207Q00000X"
    address: OrganizationAddress
    submitter_id: Public[str]
    bank_account: Public[str]
    contact_phone: Public[str] = "5555550100"
    books_open_from: Public[date] = date(2000, 1, 1)
    bills: ClaimType | None = None
    claims_worked_by: Public[str] = Field(default="", pattern="^([a-z][a-z0-9-]{0,30})?$")
    time_zone: Public[ZoneName] = "UTC"


class Payer(Dated):
    """A payer. `x12_identifier` is NM109 of 2010BB and TRN03/N104 on its remittances (matched without a leading 1).

    `expected_contractual_percent` is what of a gross charge this payer's contract is expected to take off.
    `contractual_reasons` and `denial_write_off_reasons` are CARCs: CO with one of the first is contractual, a denial for
    one of the second is written off without a person, in every plan or in those of `denial_write_off_reasons_by_plan`. `acknowledge_remittances` says how its 835s are answered.
    `status_inquiry_days` is the age at which a claim without an answer is asked about by 276, zero for never.
    `claims_per_interchange` is how many claims it takes at once, and `sending_window` when of the day (`22:00-04:00`, in
    UTC, the first minute in and the last one out), empty for always.
    """

    name: Public[str]
    payer_class: PayerClass
    x12_identifier: Public[str]
    receiver_id: Public[str]
    claim_filing_indicator: Public[str] = "CI"
    expected_contractual_percent: int = Field(ge=0, le=100)
    contractual_reasons: tuple[Public[str], ...] = ("45",)
    denial_write_off_reasons: tuple[Public[str], ...] = ()
    denial_write_off_reasons_by_plan: dict[Public[str], tuple[Public[str], ...]] = {}
    appeal_days: int = Field(default=180, ge=0)
    timely_filing_days: int = Field(default=365, ge=0)
    status_inquiry_days: int = Field(default=0, ge=0)
    acknowledge_remittances: Public[str] = Field(default="", pattern=r"^(TA1|999|TA1\+999)?$")
    transport: Public[str] = "files"
    claims_per_interchange: int = Field(default=CLAIMS_PER_INTERCHANGE_MAX, ge=1, le=CLAIMS_PER_INTERCHANGE_MAX)
    sending_window: Public[str] = Field(default="", pattern=rf"^({_HOUR}-{_HOUR})?$")

    def takes_claims_at(self, now: datetime) -> bool:
        """Whether its window is open; one that ends before it begins is open over midnight."""
        if not self.sending_window:
            return True
        start, end = map(time.fromisoformat, self.sending_window.split("-"))
        moment = now.astimezone(UTC).time()
        return start <= moment < end if start < end else moment >= start or moment < end


class Plan(Dated):
    """A plan of a payer, as coverages name it."""

    payer: Public[str]
    name: Public[str] = ""


class CostCenter(Dated):
    """Where an entity's departments book; an empty entity is any."""

    name: Public[str] = ""
    entity: Public[str] = ""


class Provider(Dated):
    """Who renders services; `npi` has a check digit."""

    npi: Public[str]
    family_name: Public[str]
    given_name: Public[str]
    taxonomy: Public[str] = "207Q00000X"


class Location(Dated):
    """`bill_type` is the type of bill of a facility (CLM05-1, two digits); empty gives 11 for a stay, 13 for a visit."""

    entity: Public[str]
    place_of_service: Public[str] = "11"
    bill_type: Public[str] = Field(default="", pattern="^([0-9]{2})?$")


class Department(Dated):
    """`bills` is how its charges are billed: a physician's in a hospital are professional, the room institutional."""

    entity: Public[str]
    cost_center: Public[str]
    bills: ClaimType | None = None


class Crosswalk(Dated):
    """One source code (`code`, of list `kind`, as `source` sends it) and what we call it."""

    source: Public[str]
    kind: Public[str]
    ours: Public[str]


class FeeScheduleRow(Dated):
    """What a payer's contract allows for one unit of a procedure (`code`) on a date; an empty plan holds for all plans."""

    payer: Public[str]
    plan: Public[str] = ""
    modifiers: tuple[Public[str], ...] = ()
    allowed: Money


class ChargeMasterRow(Dated):
    """What one unit of a charge (`code`, as its procedure code) costs, in all departments or in one.

    A charge that comes without a price takes this one, and one whose price differs by more than `tolerance_percent` is held.
    """

    price: Money
    department: Public[str] = ""
    tolerance_percent: int = Field(default=0, ge=0, le=100)
    units_max: int = Field(default=0, ge=0)


class PriceConcession(Dated):
    """What of patients' shares a portfolio (`code`) has shown not to be paid: those of an entity that a class of payers left to the
    patient, or that are self-pay, from an age of `from_days` on."""

    entity: Public[str]
    payer_class: PayerClass
    from_days: int = Field(default=0, ge=0)
    percent: int = Field(ge=0, le=100)


class DunningStepRow(Dated):
    """From which age on, in days, and from which balance on an entity asks its patients by this step (`code`), and what stops it.

    An entity without a row asks by the steps that come with the software.
    """

    code: Public[str] = Field(pattern="^(statement-1|statement-2|statement-3|final-notice|pre-collection)$")
    entity: Public[str]
    after_days: int = Field(ge=0)
    least: Money = Money(500)
    stopped_by: tuple[Public[Literal["dispute", "plan", "charity-pending", "pending-insurance"]], ...] = (
        "dispute",
        "plan",
        "charity-pending",
        "pending-insurance",
    )


class SourceClient(Dated):
    """A client (`code` is its id at the token server) and the sources that it speaks for; `*` is any."""

    sources: tuple[Public[str], ...] = Field(min_length=1)


class TradingPartner(Dated):
    """Who sends us X12 (`code` is ISA06), and what of it is a finding, quarantines or refuses, by rule of the reader."""

    rules: dict[Public[str], Literal["finding", "quarantine", "refuse"]] = {}
    accept_4010: bool = False
