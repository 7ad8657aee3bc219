"""Writes 837P interchanges (005010X222A1): many claims, grouped under their billing providers and subscribers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, Subscriber
from x12.errors import UnwritableValue
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.writable import Writable, amount, day, digits, npi, quantity

GUIDE = "005010X222A1"
CLAIMS_MAX = 5_000
CLAIMS_OF_A_PATIENT_MAX = 100
LINES_MAX = 50
DIAGNOSES_MAX = 12
POINTERS_MAX = 4
CONTROL_NUMBER_MAX = 999_999_999
_SET_NUMBER = "0001"
_GENDERS = frozenset(["F", "M", "U"])
_FREQUENCIES = frozenset(["1", "7", "8"])
_RESPONSIBILITIES = frozenset(["P", "S", "T"])
_USAGES = frozenset(["P", "T"])

_SubscriberKey = tuple[Subscriber, Payer, bool]
_Tree = dict[BillingProvider, dict[_SubscriberKey, dict[Patient | None, list[tuple[int, ProfessionalClaim]]]]]


def write_professional_claims(
    envelope: SubmissionEnvelope, submitter: Submitter, receiver: Receiver, claims: Sequence[ProfessionalClaim]
) -> bytes:
    """One interchange with one group and one transaction set, as ASCII bytes without line breaks.

    Claims keep their order within their billing provider, subscriber and patient; equal ones share their HL.

    Raises:
        UnwritableValue: a field cannot be written as it is; the message names it as a path such as
            `claims[3].subscriber.last_name` and never holds the value.
    """
    if not 1 <= len(claims) <= CLAIMS_MAX:
        raise UnwritableValue("claims", f"must be 1 to {CLAIMS_MAX} in one transaction set")
    writer = _Writer(Writable(envelope.delimiters))
    writer.open(envelope, submitter, receiver)
    for provider, subscribers in _grouped(claims).items():
        writer.provider(provider, subscribers)
    return writer.close(envelope)


def _grouped(claims: Iterable[ProfessionalClaim]) -> _Tree:
    tree: _Tree = {}
    for index, claim in enumerate(claims):
        key = (claim.subscriber, claim.payer, claim.patient is None)
        patients = tree.setdefault(claim.billing_provider, {}).setdefault(key, {})
        own = patients.setdefault(claim.patient, [])
        if len(own) == CLAIMS_OF_A_PATIENT_MAX:
            raise UnwritableValue(f"claims[{index}]", f"is over {CLAIMS_OF_A_PATIENT_MAX} claims of one patient")
        own.append((index, claim))
    return tree


class _Writer:
    def __init__(self, writable: Writable) -> None:
        self._writable = writable
        self._separator = writable.delimiters.element
        self._component = writable.delimiters.component
        self._texts: list[str] = []
        self._st_index = 0
        self._levels = 0

    def _add(self, *elements: str) -> None:
        self._texts.append(self._separator.join(elements).rstrip(self._separator))

    def _text(self, field: str, value: str, longest: int, *, needed: bool = True, shortest: int = 1) -> str:
        return self._writable.text(field, value, longest, needed=needed, shortest=shortest)

    def open(self, envelope: SubmissionEnvelope, submitter: Submitter, receiver: Receiver) -> None:
        self._interchange_header(envelope)
        date, time = day(envelope.created.date()), f"{envelope.created:%H%M}"
        sender, target = envelope.sender_id, envelope.receiver_id
        group = _control_number("envelope.group_control_number", envelope.group_control_number)
        self._add("GS", "HC", sender, target, date, time, group, "X", GUIDE)
        self._st_index = len(self._texts)
        self._add("ST", "837", _SET_NUMBER, GUIDE)
        self._add("BHT", "0019", "00", self._text("envelope.reference", envelope.reference, 50), date, time, "CH")
        name = self._text("submitter.name", submitter.name, 60)
        self._add(
            "NM1", "41", "2", name, "", "", "", "", "46", self._text("submitter.identifier", submitter.identifier, 80)
        )
        contact = self._text("submitter.contact_name", submitter.contact_name, 60)
        self._add("PER", "IC", contact, "TE", digits("submitter.contact_phone", submitter.contact_phone, 10))
        name = self._text("receiver.name", receiver.name, 60)
        self._add(
            "NM1", "40", "2", name, "", "", "", "", "46", self._text("receiver.identifier", receiver.identifier, 80)
        )

    def _interchange_header(self, envelope: SubmissionEnvelope) -> None:
        number = _control_number("envelope.interchange_control_number", envelope.interchange_control_number)
        sender = self._text("envelope.sender_id", envelope.sender_id, 15, shortest=2)
        target = self._text("envelope.receiver_id", envelope.receiver_id, 15, shortest=2)
        parties = [
            self._text("envelope.sender_qualifier", envelope.sender_qualifier, 2, shortest=2),
            sender.ljust(15),
            self._text("envelope.receiver_qualifier", envelope.receiver_qualifier, 2, shortest=2),
            target.ljust(15),
        ]
        delimiters = envelope.delimiters
        usage = self._writable.one_of("envelope.usage", envelope.usage, _USAGES)
        header = [
            "ISA",
            "00",
            " " * 10,
            "00",
            " " * 10,
            *parties,
            f"{envelope.created:%y%m%d}",
            f"{envelope.created:%H%M}",
        ]
        header += [delimiters.repetition, "00501", number.zfill(9), "0", usage, delimiters.component]
        self._texts.append(self._separator.join(header))

    def close(self, envelope: SubmissionEnvelope) -> bytes:
        self._add("SE", str(len(self._texts) - self._st_index + 1), _SET_NUMBER)
        self._add("GE", "1", str(envelope.group_control_number))
        self._add("IEA", "1", f"{envelope.interchange_control_number:09d}")
        terminator = envelope.delimiters.terminator
        return (terminator.join(self._texts) + terminator).encode("ascii")

    def _level(self, parent: int, code: str, *, children: bool) -> int:
        self._levels += 1
        self._add("HL", str(self._levels), str(parent) if parent else "", code, "1" if children else "0")
        return self._levels

    def provider(
        self,
        provider: BillingProvider,
        subscribers: dict[_SubscriberKey, dict[Patient | None, list[tuple[int, ProfessionalClaim]]]],
    ) -> None:
        first = next(iter(next(iter(subscribers.values())).values()))[0][0]
        field = f"claims[{first}].billing_provider"
        level = self._level(0, "20", children=True)
        if provider.taxonomy_code:
            self._add("PRV", "BI", "PXC", self._taxonomy(field, provider.taxonomy_code))
        name = self._text(f"{field}.name", provider.name, 60)
        self._add("NM1", "85", "2", name, "", "", "", "", "XX", npi(f"{field}.npi", provider.npi))
        self._address(f"{field}.address", provider.address, postal_lengths=(9,))
        self._add("REF", "EI", digits(f"{field}.tax_id", provider.tax_id, 9))
        for (subscriber, payer, is_patient), patients in subscribers.items():
            self._subscriber(level, subscriber, payer, patients, is_patient=is_patient)

    def _subscriber(
        self,
        parent: int,
        subscriber: Subscriber,
        payer: Payer,
        patients: dict[Patient | None, list[tuple[int, ProfessionalClaim]]],
        *,
        is_patient: bool,
    ) -> None:
        claims = next(iter(patients.values()))
        field = f"claims[{claims[0][0]}].subscriber"
        level = self._level(parent, "22", children=not is_patient)
        responsibility = self._writable.one_of(f"{field}.responsibility", subscriber.responsibility, _RESPONSIBILITIES)
        group = self._text(f"{field}.group_number", subscriber.group_number, 50, needed=False)
        filing = self._text(f"claims[{claims[0][0]}].payer.filing_indicator", payer.filing_indicator, 2)
        self._add("SBR", responsibility, "18" if is_patient else "", group, "", "", "", "", "", filing)
        member = self._text(f"{field}.member_id", subscriber.member_id, 80, shortest=2)
        self._person("IL", field, subscriber, ["MI", member])
        if is_patient:
            self._address(f"{field}.address", subscriber.address)
            self._demographics(field, subscriber)
        self._payer(f"claims[{claims[0][0]}].payer", payer)
        for patient, own in patients.items():
            if patient is not None:
                self._patient(level, f"claims[{own[0][0]}].patient", patient)
            for index, claim in own:
                self._claim(f"claims[{index}]", claim)

    def _payer(self, field: str, payer: Payer) -> None:
        name = self._text(f"{field}.name", payer.name, 60)
        identifier = self._text(f"{field}.identifier", payer.identifier, 80, shortest=2)
        self._add("NM1", "PR", "2", name, "", "", "", "", "PI", identifier)

    def _patient(self, parent: int, field: str, patient: Patient) -> None:
        self._level(parent, "23", children=False)
        self._add("PAT", self._text(f"{field}.relationship", patient.relationship, 2, shortest=2))
        self._person("QC", field, patient, [])
        self._address(f"{field}.address", patient.address)
        self._demographics(field, patient)

    def _person(self, code: str, field: str, person: Subscriber | Patient, identifier: list[str]) -> None:
        last = self._text(f"{field}.last_name", person.last_name, 60)
        first = self._text(f"{field}.first_name", person.first_name, 35, needed=False)
        middle = self._text(f"{field}.middle_name", person.middle_name, 25, needed=False)
        self._add("NM1", code, "1", last, first, middle, "", "", *identifier)

    def _address(self, field: str, address: Address, postal_lengths: tuple[int, ...] = (5, 9)) -> None:
        line2 = self._text(f"{field}.line2", address.line2, 55, needed=False)
        self._add("N3", self._text(f"{field}.line1", address.line1, 55), line2)
        city = self._text(f"{field}.city", address.city, 30, shortest=2)
        state = self._text(f"{field}.state", address.state, 2, shortest=2)
        self._add("N4", city, state, digits(f"{field}.postal_code", address.postal_code, *postal_lengths))

    def _demographics(self, field: str, person: Subscriber | Patient) -> None:
        gender = self._writable.one_of(f"{field}.gender", person.gender, _GENDERS)
        self._add("DMG", "D8", day(person.birth_date), gender)

    def _claim(self, field: str, claim: ProfessionalClaim) -> None:
        if not 1 <= len(claim.lines) <= LINES_MAX:
            raise UnwritableValue(f"{field}.lines", f"must be 1 to {LINES_MAX}")
        frequency = self._writable.one_of(f"{field}.frequency_code", claim.frequency_code, _FREQUENCIES)
        place = self._text(f"{field}.place_of_service", claim.place_of_service, 2, shortest=2)
        number = self._text(f"{field}.patient_control_number", claim.patient_control_number, 20)
        total = amount(f"{field}.charge", claim.charge)
        self._add("CLM", number, total, "", "", self._component.join([place, "B", frequency]), "Y", "A", "Y", "Y")
        self._original_reference(field, claim)
        self._diagnoses(f"{field}.diagnosis_codes", claim.diagnosis_codes)
        if claim.rendering_provider:
            self._rendering_provider(f"{field}.rendering_provider", claim.rendering_provider)
        for index, line in enumerate(claim.lines):
            self._line(f"{field}.lines[{index}]", index + 1, line, len(claim.diagnosis_codes))

    def _original_reference(self, field: str, claim: ProfessionalClaim) -> None:
        needed = claim.frequency_code != "1"
        reference = self._text(f"{field}.payer_control_number", claim.payer_control_number, 50, needed=needed)
        if reference:
            self._add("REF", "F8", reference)

    def _diagnoses(self, field: str, codes: tuple[str, ...]) -> None:
        if not 1 <= len(codes) <= DIAGNOSES_MAX:
            raise UnwritableValue(field, f"must be 1 to {DIAGNOSES_MAX}")
        for index, code in enumerate(codes):
            if not re.fullmatch("[A-Z][0-9A-Z]{2,6}", code):
                raise UnwritableValue(f"{field}[{index}]", "must be an ICD-10-CM code without its point")
        first, *others = codes
        self._add("HI", f"ABK{self._component}{first}", *(f"ABF{self._component}{code}" for code in others))

    def _rendering_provider(self, field: str, provider: Provider) -> None:
        last = self._text(f"{field}.last_name", provider.last_name, 60)
        first = self._text(f"{field}.first_name", provider.first_name, 35, needed=False)
        self._add("NM1", "82", "1", last, first, "", "", "", "XX", npi(f"{field}.npi", provider.npi))
        if provider.taxonomy_code:
            self._add("PRV", "PE", "PXC", self._taxonomy(field, provider.taxonomy_code))

    def _taxonomy(self, field: str, code: str) -> str:
        return self._text(f"{field}.taxonomy_code", code, 10, shortest=10)

    def _line(self, field: str, number: int, line: ProfessionalLine, diagnoses: int) -> None:
        procedure = self._text(f"{field}.procedure_code", line.procedure_code, 5, shortest=5)
        if len(line.modifiers) > 4:
            raise UnwritableValue(f"{field}.modifiers", "must be at most 4")
        modifiers = [
            self._text(f"{field}.modifiers[{index}]", modifier, 2, shortest=2)
            for index, modifier in enumerate(line.modifiers)
        ]
        pointers = line.diagnosis_pointers
        if not 1 <= len(pointers) <= POINTERS_MAX or not all(1 <= pointer <= diagnoses for pointer in pointers):
            raise UnwritableValue(f"{field}.diagnosis_pointers", "must be 1 to 4 numbers of the claim's diagnoses")
        self._add("LX", str(number))
        composite = self._component.join(["HC", procedure, *modifiers])
        charge, units = amount(f"{field}.charge", line.charge), quantity(f"{field}.units", line.units)
        self._add("SV1", composite, charge, "UN", units, "", "", self._component.join(map(str, pointers)))
        self._add("DTP", "472", "D8", day(line.service_date))
        self._add("REF", "6R", self._text(f"{field}.line_control_number", line.line_control_number, 30))


def _control_number(field: str, number: int) -> str:
    if not 1 <= number <= CONTROL_NUMBER_MAX:
        raise UnwritableValue(field, "must be 1 to 999999999")
    return str(number)
