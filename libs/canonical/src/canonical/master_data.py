"""Master data: the payers, entities, departments, providers, locations and crosswalks that a deployment knows, by date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from canonical.classes import CanonicalModel, Public
from canonical.codes import ClaimType, PayerClass
from canonical.money import Money
from canonical.party import OrganizationAddress

CLAIMS_PER_INTERCHANGE_MAX = 500
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"


class UnknownMasterData(LookupError):
    """A code that master data does not know on that date; the message names list, code and date."""


class Dated(CanonicalModel, extra="forbid"):
    """A row valid from `valid_from` on, until `valid_until` where that is given (both days included)."""

    code: Public[str]
    valid_from: Public[date] = date(2000, 1, 1)
    valid_until: Public[date] | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Entity(Dated):
    """A legal entity: it bills under its NPI and tax id, and has its own books and bank account.

    `bills` is how it bills what is done for it, unless the department says otherwise; without it, stays are institutional
    and everything else is professional. Charges of services before `books_open_from` are booked on that day.
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


class Provider(Dated):
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


class SourceClient(Dated):
    """A client (`code` is its id at the token server) and the sources that it speaks for; `*` is any."""

    sources: tuple[Public[str], ...] = Field(min_length=1)


class TradingPartner(Dated):
    """Who sends us X12 (`code` is ISA06), and what of it is a finding, quarantines or refuses, by rule of the reader."""

    rules: dict[Public[str], Literal["finding", "quarantine", "refuse"]] = {}
    accept_4010: bool = False


_Row = TypeVar("_Row", bound=Dated)


class MasterData(CanonicalModel, extra="forbid"):
    """Everything a deployment knows of its world, loaded from one file."""

    version: Public[str]
    entities: tuple[Entity, ...]
    payers: tuple[Payer, ...]
    providers: tuple[Provider, ...]
    locations: tuple[Location, ...] = ()
    departments: tuple[Department, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    fee_schedules: tuple[FeeScheduleRow, ...] = ()
    trading_partners: tuple[TradingPartner, ...] = ()
    source_clients: tuple[SourceClient, ...] = ()
    charge_master: tuple[ChargeMasterRow, ...] = ()

    def entity(self, code: str, day: date) -> Entity:
        return _find(self.entities, code, day, "entity")

    def payer(self, code: str, day: date) -> Payer:
        return _find(self.payers, code, day, "payer")

    def provider(self, code: str, day: date) -> Provider:
        return _find(self.providers, code, day, "provider")

    def location(self, code: str, day: date) -> Location:
        return _find(self.locations, code, day, "location")

    def department(self, code: str, day: date) -> Department:
        return _find(self.departments, code, day, "department")

    def charge_master_row(self, code: str, department: str, day: date) -> ChargeMasterRow | None:
        """The row of a charge: its department's, else that of all departments; None where the charge master has none."""
        rows = [row for row in self.charge_master if row.code == code and row.holds_on(day)]
        named = {row.department: row for row in rows}
        return named.get(department) or named.get("")

    def payer_by_x12(self, identifier: str, day: date) -> Payer:
        """The payer behind a payer identifier on a remittance; TRN03 carries it with a leading 1 (or 9, 3)."""
        plain = identifier[1:] if identifier[:1] in ("1", "3", "9") else identifier
        for payer in self.payers:
            if payer.holds_on(day) and payer.x12_identifier in (identifier, plain):
                return payer
        raise UnknownMasterData(f"no payer with X12 identifier {identifier!r} on {day}")

    def entity_by_npi(self, npi: str, day: date) -> Entity:
        for entity in self.entities:
            if entity.holds_on(day) and npi == entity.npi:
                return entity
        raise UnknownMasterData(f"no entity with NPI {npi!r} on {day}")

    def entity_by_bank_account(self, account: str, day: date) -> Entity:
        for entity in self.entities:
            if entity.holds_on(day) and account == entity.bank_account:
                return entity
        raise UnknownMasterData(f"no entity with bank account ending {account[-4:]!r} on {day}")

    def sources_of(self, client_id: str, day: date) -> tuple[str, ...]:
        """The sources that a client may send messages for, none for a client that is not known."""
        rows = (row for row in self.source_clients if row.code == client_id and row.holds_on(day))
        return tuple(dict.fromkeys(source for row in rows for source in row.sources))

    def translate(self, source: str, kind: str, code: str, day: date) -> str:
        """Our code for what `source` calls `code`; the code itself where no crosswalk row of that source and kind exists."""
        rows = [row for row in self.crosswalks if row.source == source and row.kind == kind]
        if not rows:
            return code
        return _find(rows, code, day, f"crosswalk {source}/{kind}").ours


def _find(rows: Sequence[_Row], code: str, day: date, what: str) -> _Row:
    for row in rows:
        if row.code == code and row.holds_on(day):
            return row
    raise UnknownMasterData(f"no {what} {code!r} on {day}")


def load_master_data(path: Path) -> MasterData:
    """The master data of a JSON file.

    Raises:
        pydantic.ValidationError: a row that does not fit, named by its path.
    """
    return MasterData.model_validate(json.loads(path.read_text(encoding="utf-8")))
