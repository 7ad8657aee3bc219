"""A pre-coded Claim to an encounter, its diagnoses and its charges: the source has coded, and we bill."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from canonical.money import USD, Money, MoneyRefused

from intake.adapters.fhir.charge_items import PROCEDURE_SYSTEMS, amount_of, dental_site, quantity_of, revenue_code
from intake.adapters.fhir.claim_stays import INSTITUTIONAL, circumstances_of, is_read, stay_of_claim
from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry, code_in, code_of, day_of, diagnosis_in
from intake.domain.facts import NOWHERE, ChargeSeen, ChargesWithdrawn, ChargeVoided, EncounterSeen, Fact, Link
from intake.domain.identities import charge_id_of, encounter_id_of
from intake.domain.refusals import Finding

CLAIM_TYPES = ("professional", INSTITUTIONAL, "oral")
PRINCIPAL_TYPES = ("principal",)
ADMITTING_TYPES = ("admitting",)


ITEMS_MAX = 500
"""By these numbers the items of a claim are looked for that an update has no more."""


def claim_facts(entry: Entry, message: FhirMessage) -> list[Fact]:
    """The facts of a claim, or nothing and findings for what it lacks or is not taken for."""
    found_before = len(message.findings)
    reading = _ClaimReading(entry, message)
    facts = reading.facts()
    return facts if len(message.findings) == found_before else []


class _ClaimReading:
    def __init__(self, entry: Entry, message: FhirMessage) -> None:
        self._claim = entry.resource
        self._place = entry.place
        self._message = message
        self._number = message.references.own_identifier(entry)[1]
        self._corrects = entry.request.method == "PUT"

    def facts(self) -> list[Fact]:
        claim = self._claim
        self._expect("status", claim.status, ("active", "cancelled", "entered-in-error"), "claim-status")
        self._expect("use", claim.use, ("claim",), "claim-use")
        self._expect("type", code_in(claim.type), CLAIM_TYPES, "claim-type")
        if not self._number:
            self._message.need(f"{self._place}.identifier", "names the claim by an identifier of the source's system")
            return []
        self._check_numbers()
        encounter = self._encounter_link()
        if claim.status != "active":
            said_at = self._message.said_at(claim)
            voided = [
                ChargeVoided(self._item_place(index), self._charge_id(item), encounter, said_at=said_at)
                for index, item in enumerate(claim.item or ())
            ]
            return [*voided, self._withdrawn()]
        facts = [] if self._names_encounter else self._encounter()
        charges = [fact for index, item in enumerate(claim.item or ()) for fact in self._charge(index, item, encounter)]
        if not charges:
            self._message.need(f"{self._place}.item", "at least one service")
        self._leave_out_info()
        self._check_total(charges)
        return [*facts, *charges, *([self._withdrawn()] if self._corrects else [])]

    def _withdrawn(self) -> Fact:
        """An update says the whole claim: the items that it had, and has no more, are taken back."""
        told = {item.sequence for item in self._claim.item or ()}
        gone = tuple(self._charge_id_of(number) for number in range(1, ITEMS_MAX + 1) if number not in told)
        return ChargesWithdrawn(f"{self._place}.item", gone, self._message.said_at(self._claim))

    def _check_numbers(self) -> None:
        """An item of a higher number would not be found again where an update has it no more."""
        for index, item in enumerate(self._claim.item or ()):
            if item.sequence > ITEMS_MAX:
                note = (
                    f"1 to {ITEMS_MAX}: number the items from 1, and send more services as a further claim of their own"
                )
                self._message.find(f"{self._item_place(index)}.sequence", "item-number", note)

    @property
    def _names_encounter(self) -> bool:
        return any(item.encounter for item in self._claim.item or ())

    def _encounter_link(self) -> Link:
        """The encounter of the items, or one that the claim itself stands for."""
        named = next((item.encounter[0] for item in self._claim.item or () if item.encounter), None)
        if named is not None:
            return self._message.references.link(named)
        return Link(id=encounter_id_of(self._message.source, self._number))

    def _encounter(self) -> list[Fact]:
        claim, references = self._claim, self._message.references
        return [
            EncounterSeen(
                self._place,
                encounter_id_of(self._message.source, self._number),
                references.link(claim.patient),
                references.link(claim.provider),
                location="",
                rendering_provider=self._rendering(),
                finished=True,
                diagnosis_codes=self._diagnoses(),
                lists_diagnoses=True,
                account_number=self._number,
                location_link=references.link(claim.facility),
                stay=stay_of_claim(claim),
                circumstances=circumstances_of(claim),
            )
        ]

    def _leave_out_info(self) -> None:
        """Tells of what is said of the claim and taken by nobody: all but what says something of an encounter of its own."""
        is_own, tells_stay = not self._names_encounter, code_in(self._claim.type) == INSTITUTIONAL
        if self._claim.accident is not None and not is_own:
            self._message.leave_out(f"{self._place}.accident")
        for index, each in enumerate(self._claim.supportingInfo or ()):
            if not (is_own and is_read(each, tells_stay=tells_stay)):
                self._message.leave_out(f"{self._place}.supportingInfo[{index}]")

    def _rendering(self) -> Link:
        """The responsible member of the care team, or the first."""
        team = self._claim.careTeam or ()
        first = next((each for each in team if each.responsible), next(iter(team), None))
        return self._message.references.link(first.provider) if first else NOWHERE

    def _diagnoses(self) -> tuple[str, ...]:
        """Those to bill, the principal one first and the others by their sequence; the admitting one belongs to a stay."""
        told = sorted(self._claim.diagnosis or (), key=lambda each: (not _is_of(each, PRINCIPAL_TYPES), each.sequence))
        billed = (each for each in told if not _is_of(each, ADMITTING_TYPES))
        return tuple(filter(None, (self._diagnosis(each) for each in billed)))

    def _diagnosis(self, told: Any) -> str:
        concept = told.diagnosisCodeableConcept
        if told.diagnosisReference is not None:
            reference = str(told.diagnosisReference.reference or "")
            conditions = self._message.all_of("Condition")
            concept = next(
                (each.resource.code for each in conditions if reference in (each.reference, each.full_url)), None
            )
        code = diagnosis_in(concept)
        if not code:
            self._message.find(
                f"{self._place}.diagnosis", "diagnosis-code", "an ICD-10-CM code, or a Condition of the message"
            )
        return code

    def _charge(self, index: int, item: Any, encounter: Link) -> list[ChargeSeen]:
        place = self._item_place(index)
        codes = {each.sequence: self._diagnosis(each) for each in self._claim.diagnosis or ()}
        pointed = [codes.get(number, "") for number in item.diagnosisSequence or ()]
        revenue = code_in(item.revenue)
        procedure = code_in(item.productOrService, PROCEDURE_SYSTEMS)
        if revenue and not code_of(item.productOrService, PROCEDURE_SYSTEMS) and procedure == revenue:
            procedure = ""
        day = day_of(item.servicedDate) or day_of(item.servicedPeriod.start if item.servicedPeriod else None)
        day = day or day_of(self._claim.billablePeriod.start if self._claim.billablePeriod else None)
        amount = self._net(item, place)
        if day is None:
            self._message.need(f"{place}.servicedDate", "the day of service")
        if not procedure and not revenue:
            self._message.need(f"{place}.productOrService", "the procedure")
        if day is None or amount is None:
            return []
        return [
            ChargeSeen(
                place,
                self._charge_id(item),
                encounter,
                procedure,
                tuple(filter(None, map(code_in, item.modifier or ()))),
                quantity_of(item.quantity),
                amount,
                day,
                "",
                self._performer(item),
                tuple(filter(None, pointed)),
                revenue_code=revenue_code(revenue),
                dental=dental_site(
                    [item.bodySite, *(item.subSite or ())] if item.bodySite else (), f"{place}.bodySite", self._message
                ),
                corrects=self._corrects,
                said_at=self._message.said_at(self._claim),
            )
        ]

    def _performer(self, item: Any) -> Link:
        sequences = item.careTeamSequence or ()
        member = next((each for each in self._claim.careTeam or () if each.sequence in sequences), None)
        return self._message.references.link(member.provider) if member else NOWHERE

    def _net(self, item: Any, place: str) -> Money | None:
        """The line's total: `net`, or unit price times quantity and factor where that is exact."""
        if item.net is not None:
            return amount_of(item.net, f"{place}.net", self._message)
        if item.unitPrice is None or item.unitPrice.value is None:
            self._message.need(f"{place}.net", "the total price of the line")
            return None
        factor = 1 if item.factor is None else item.factor
        exact = item.unitPrice.value * quantity_of(item.quantity) * factor
        try:
            return Money.from_decimal(exact, item.unitPrice.currency or USD)
        except MoneyRefused as refused:
            self._message.find(f"{place}.unitPrice", "money", str(refused))
            return None

    def _check_total(self, charges: list[ChargeSeen]) -> None:
        total = self._claim.total
        if total is None or self._message.findings:
            return
        told = amount_of(total, f"{self._place}.total", self._message)
        amounts = [charge.amount for charge in charges if charge.amount is not None]
        if told is None or any(amount.currency != told.currency for amount in amounts):
            return
        if told.minor != sum(amount.minor for amount in amounts):
            self._message.find(f"{self._place}.total", "claim-total", "the total is the sum of the items")

    def _charge_id(self, item: Any) -> UUID:
        return self._charge_id_of(item.sequence)

    def _charge_id_of(self, sequence: int) -> UUID:
        return charge_id_of(self._message.source, f"{self._number}/{sequence}")

    def _item_place(self, index: int) -> str:
        return f"{self._place}.item[{index}]"

    def _expect(self, field: str, value: object, allowed: tuple[str, ...], rule: str) -> None:
        if value not in allowed:
            self._message.findings.append(Finding(f"{self._place}.{field}", rule, f"one of {', '.join(allowed)}"))


def _is_of(told: Any, types: tuple[str, ...]) -> bool:
    return any(code_in(each) in types for each in told.type or ())
