"""FT1: charges, and what credits them; payments and adjustments that the source took or made by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from canonical.encounter import DrugCharge
from canonical.ids import derive
from canonical.money import Money, MoneyRefused

from intake.adapters.hl7v2.codes import diagnoses_in, diagnosis_in, drug_code_of
from intake.adapters.hl7v2.context import Reading, value_at
from intake.adapters.hl7v2.mouth import dental_site
from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.site_profiles import OtherContent, TransactionKind
from intake.adapters.hl7v2.stamps import day_of
from intake.adapters.hl7v2.stays import revenue_and_department
from intake.domain.charge_rules import is_source_code
from intake.domain.facts import (
    AdjustmentSeen,
    ChargesComplete,
    ChargeSeen,
    ChargeVoided,
    Fact,
    Link,
    PatientPaymentSeen,
)

UNIT_CHARACTERS_MAX = 12
PROCEDURE_SYSTEMS = ("", "C4", "C5", "CPT", "CPT4", "HCPCS", "HCPT", "HPC", "CD2", "CDT", "ADA")
DRUG_SYSTEMS = ("", "NDC")
DRUG_UNITS = {"F2": "F2", "GR": "GR", "ME": "ME", "ML": "ML", "UN": "UN", "EA": "UN", "G": "GR", "MG": "ME"}


def transactions(message: Message, patient: Link, encounter: Link, reading: Reading) -> Iterator[Fact]:
    """The transactions in their order, and that the charges among them are a complete batch."""
    groups = message.groups("FT1")
    if not groups:
        reading.need("FT1", "at least one transaction")
    found = [
        fact
        for place, group in enumerate(groups, 1)
        for fact in _Transaction(group, f"FT1[{place}]", place, patient, encounter, reading).facts()
    ]
    yield from found
    if any(isinstance(fact, ChargeSeen | ChargeVoided) for fact in found):
        yield ChargesComplete("FT1", encounter, reading.said_at)


class _Transaction:
    """One FT1 with the PR1, DG1 and RXE that follow it."""

    def __init__(
        self, group: Message, place: str, ordinal: int, patient: Link, encounter: Link, reading: Reading
    ) -> None:
        self._group = group
        self._ft1 = group.rows[0]
        self._place = place
        self._ordinal = ordinal
        self._patient = patient
        self._encounter = encounter
        self._reading = reading

    def facts(self) -> Iterator[Fact]:
        kind = self._reading.profile.transaction_types.get(self._ft1.field(6))
        if kind is None:
            known = ", ".join(self._reading.profile.transaction_types)
            self._reading.refuse(f"{self._place}-6", "transaction-type", f"one of {known}")
            return
        day, number = self._day(), self._number()
        if kind is TransactionKind.CREDIT:
            yield from self._credit(self._money(11))
        elif day is None or not number:
            return
        elif kind is TransactionKind.CHARGE:
            yield from self._charge(number, day)
        elif kind is TransactionKind.PAYMENT:
            yield from self._payment(number, day)
        else:
            yield from self._adjustment(number, day)

    def _day(self) -> date | None:
        day = day_of(self._reading.local(self._ft1.field(4)))
        if day is None:
            self._reading.need(f"{self._place}-4", "the day of service, as YYYYMMDD")
        return day

    def _number(self) -> str:
        profile = self._reading.profile
        number = value_at(profile.charge_id, self._group)
        if not number and profile.charge_id_from_place:
            return f"{self._reading.control_id}/{self._ft1.field(1) or self._ordinal}"
        if not number:
            self._reading.need(self._at(profile.charge_id), "the source's id of the charge")
        return number

    def _charge(self, number: str, day: date) -> Iterator[Fact]:
        profile, amount = self._reading.profile, self._amount()
        if amount is not None and amount.minor < 0 and profile.negative_charge_is_credit:
            yield from self._credit(-amount)
            return
        units = self._units()
        if units is None:
            return
        revenue, department, procedure = revenue_and_department(self._group, profile)
        procedure, modifiers = self._procedure(procedure)
        if not procedure and not revenue:
            self._reading.need(self._at(profile.procedure[0]), "the procedure, or the revenue code of a room")
        yield ChargeSeen(
            self._place,
            self._reading.charge_id(number),
            self._encounter,
            procedure,
            modifiers,
            units,
            amount,
            day,
            department,
            Link(code=self._ft1.field(20)),
            self._diagnoses(),
            revenue_code=revenue,
            dental=dental_site(self._group, self._place, self._reading),
            drug=self._drug(units),
            corrects=profile.same_charge_other_content is OtherContent.CORRECTION,
            said_at=self._reading.said_at,
        )

    def _credit(self, amount: Money | None) -> Iterator[Fact]:
        place = self._reading.profile.credited_charge
        number = value_at(place, self._group)
        if not number:
            self._reading.need(self._at(place), "the source's id of the charge that is credited")
            return
        credited = -amount if amount is not None and amount.minor < 0 else amount
        yield ChargeVoided(
            self._place,
            self._reading.charge_id(number),
            self._encounter,
            credited,
            said_at=self._reading.said_at,
            credit_id=self._own_id("credit", self._credit_number()),
        )

    def _credit_number(self) -> str:
        """The transaction's own number, where another place names the charge; else that of its message, and its place there."""
        profile = self._reading.profile
        own = value_at(profile.charge_id, self._group) if profile.credited_charge != profile.charge_id else ""
        return own or f"{self._reading.control_id}/{self._ordinal}"

    def _payment(self, number: str, day: date) -> Iterator[Fact]:
        amount = self._needed_money()
        if amount is None:
            return
        if not amount:
            self._reading.leave_out(f"{self._place}-11", "amount", "a payment of nothing")
            return
        if self._reading.profile.payments_are_negative:
            amount = -amount
        method = self._code() or self._ft1.field(6)
        yield PatientPaymentSeen(
            self._place,
            self._own_id("patient-payment", number),
            self._patient,
            self._encounter,
            amount,
            method,
            day,
            Link(code=self._reading.facility),
        )

    def _adjustment(self, number: str, day: date) -> Iterator[Fact]:
        amount = self._needed_money()
        if amount is not None:
            identity = self._own_id("source-adjustment", number)
            books = Link(code=self._reading.facility)
            yield AdjustmentSeen(
                self._place, identity, self._encounter, amount, self._code(), day, self._patient, books
            )

    def _code(self) -> str:
        """FT1-7 where it can be a code: it is kept and told in clear."""
        code = self._ft1.field(7)
        if is_source_code(code):
            return code
        self._reading.leave_out(f"{self._place}-7", "source-code", "a short code, of at most eight digits")
        return ""

    def _own_id(self, kind: str, number: str) -> UUID:
        return derive(kind, self._reading.charge_id(number))

    def _procedure(self, coded: str) -> tuple[str, tuple[str, ...]]:
        """The procedure and its modifiers, from PR1 where FT1 has none."""
        modifiers = tuple(self._ft1.repetitions(26))
        if coded:
            return coded, modifiers
        named = [pr1 for pr1 in self._group.in_order("PR1") if pr1.field(3, 3).upper() in PROCEDURE_SYSTEMS]
        if len(named) != 1:
            return "", modifiers
        return named[0].field(3), modifiers or tuple(named[0].repetitions(16))

    def _diagnoses(self) -> tuple[str, ...]:
        """Those of FT1-19; those of the DG1 that follow the transaction where it has none."""
        own = diagnoses_in(self._ft1, 19, self._place, self._reading)
        if own or self._ft1.field(19):
            return own
        told = (diagnosis_in(dg1, 3, "DG1", self._reading) for dg1 in self._following("DG1"))
        return tuple(dict.fromkeys(filter(None, told)))

    def _following(self, name: str) -> list[Segment]:
        """DG1s stand behind the transaction they belong to in P11 alone; in P03 they follow all and belong to the visit."""
        return self._group.in_order(name) if self._reading.diagnoses_follow_transactions else []

    def _drug(self, units: Decimal) -> DrugCharge | None:
        """FT1-29 with FT1-43, or the RXE that follows; what is no NDC is left out, and the sender is told."""
        rxe = self._group.first("RXE")
        segment, number, quantity, unit = (self._ft1, 29, self._ft1.field(43), self._ft1.field(43, 2))
        if rxe and not self._ft1.field(29):
            segment, number, quantity, unit = (rxe, 2, rxe.field(10), rxe.field(11))
        told = segment.field(number)
        if not told or segment.field(number, 3).upper() not in DRUG_SYSTEMS:
            return None
        code, amount = drug_code_of(told), _decimal(quantity) if quantity else units
        if not code or not amount:
            self._reading.leave_out(f"{self._place}-29", "drug", "an NDC with its quantity")
            return None
        return DrugCharge(ndc=code, quantity=amount, unit=DRUG_UNITS.get(unit.upper(), "UN"))

    def _units(self) -> Decimal | None:
        units = _decimal(self._ft1.field(10) or "1")
        if units is None:
            self._reading.refuse(f"{self._place}-10", "number", "a plain decimal number")
        return units

    def _amount(self) -> Money | None:
        """The extended amount, or the unit amount times the units where the profile says so; None: as the charge master says."""
        if self._ft1.field(11) or not self._reading.profile.unit_amount_is_multiplied:
            return self._money(11)
        unit, units = self._money(12), _decimal(self._ft1.field(10) or "1")
        if unit is None or units is None:
            return None
        minor = unit.minor * units
        if minor != minor.to_integral_value():
            self._reading.refuse(f"{self._place}-12", "money", "the unit amount times the units is whole cents")
            return None
        return Money(int(minor), unit.currency)

    def _needed_money(self) -> Money | None:
        amount = self._money(11)
        if amount is None and not self._ft1.field(11):
            self._reading.need(f"{self._place}-11", "the amount")
        return amount

    def _money(self, number: int) -> Money | None:
        try:
            value = self._ft1.field(number)
            return Money.of(value, self._ft1.field(number, part=2) or "USD") if value else None
        except MoneyRefused as refused:
            self._reading.refuse(f"{self._place}-{number}", "money", str(refused))
            return None

    def _at(self, place: str) -> str:
        """A place of the profile as findings name it: `FT1[2]-11`."""
        name, _, number = place.partition("-")
        return f"{self._place}-{number}" if name == "FT1" else place


def _decimal(text: str) -> Decimal | None:
    digits = text.replace(".", "", 1)
    if len(text) <= UNIT_CHARACTERS_MAX and digits.isascii() and digits.isdigit():
        try:
            return Decimal(text)
        except InvalidOperation:
            pass
    return None
