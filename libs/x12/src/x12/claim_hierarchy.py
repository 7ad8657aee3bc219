"""Writes what the three kinds of 837 share above the claim: submitter, receiver, billing providers, subscribers, patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from x12.claim_loops import write_address, write_demographics, write_person, write_reference
from x12.claim_parties import BillingProvider, Patient, Payer, Subscriber
from x12.errors import UnwritableValue
from x12.segment_writer import SegmentWriter
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.writable import digits, npi

CLAIMS_MAX = 5_000
CLAIMS_OF_A_PATIENT_MAX = 100
RESPONSIBILITIES = frozenset("PSTABCDEFGHU")


class HierarchicalClaim(Protocol):
    """What a claim of any kind tells about its place in the hierarchy."""

    @property
    def billing_provider(self) -> BillingProvider: ...

    @property
    def subscriber(self) -> Subscriber: ...

    @property
    def payer(self) -> Payer: ...

    @property
    def patient(self) -> Patient | None: ...


Claim = TypeVar("Claim", bound=HierarchicalClaim)
_SubscriberKey = tuple[Subscriber, Payer, bool]


@dataclass(frozen=True, slots=True)
class ClaimGuide(Generic[Claim]):
    """One kind of 837. `write_claim` writes 2300 and below; only a professional or dental biller may be a person.

    `has_insurance_type` tells whether SBR05 is in the guide.
    """

    version: str
    write_claim: Callable[[SegmentWriter, str, Claim], None]
    biller_may_be_a_person: bool
    has_insurance_type: bool


def write_interchange(
    guide: ClaimGuide[Claim],
    envelope: SubmissionEnvelope,
    submitter: Submitter,
    receiver: Receiver,
    claims: Sequence[Claim],
) -> bytes:
    """One interchange with one group and one transaction set.

    Claims keep their order within their billing provider, subscriber and patient; equal ones share their HL.

    Raises:
        UnwritableValue: a field cannot be written as it is; the message names it as a path such as
            `claims[3].subscriber.last_name`.
    """
    if not 1 <= len(claims) <= CLAIMS_MAX:
        raise UnwritableValue("claims", f"must be 1 to {CLAIMS_MAX} in one transaction set")
    writer = SegmentWriter(envelope)
    writer.open_group("HC", guide.version)
    writer.open_set("837", guide.version)
    writer.open_hierarchy("0019", "00", "CH")
    _write_submitter(writer, submitter, receiver)
    hierarchy = _Hierarchy(writer, guide)
    for provider, subscribers in _grouped(claims).items():
        hierarchy.write_provider(provider, subscribers)
    writer.close_set()
    return writer.close()


def _grouped(
    claims: Iterable[Claim],
) -> dict[BillingProvider, dict[_SubscriberKey, dict[Patient | None, list[tuple[int, Claim]]]]]:
    tree: dict[BillingProvider, dict[_SubscriberKey, dict[Patient | None, list[tuple[int, Claim]]]]] = {}
    for index, claim in enumerate(claims):
        key = (claim.subscriber, claim.payer, claim.patient is None)
        patients = tree.setdefault(claim.billing_provider, {}).setdefault(key, {})
        own = patients.setdefault(claim.patient, [])
        if len(own) == CLAIMS_OF_A_PATIENT_MAX:
            raise UnwritableValue(f"claims[{index}]", f"is over {CLAIMS_OF_A_PATIENT_MAX} claims of one patient")
        own.append((index, claim))
    return tree


def _write_submitter(writer: SegmentWriter, submitter: Submitter, receiver: Receiver) -> None:
    name = writer.text("submitter.name", submitter.name, 60)
    identifier = writer.text("submitter.identifier", submitter.identifier, 80, shortest=2)
    writer.add("NM1", "41", "2", name, "", "", "", "", "46", identifier)
    contact = writer.text("submitter.contact_name", submitter.contact_name, 60)
    writer.add("PER", "IC", contact, "TE", digits("submitter.contact_phone", submitter.contact_phone, 10))
    name = writer.text("receiver.name", receiver.name, 60)
    identifier = writer.text("receiver.identifier", receiver.identifier, 80, shortest=2)
    writer.add("NM1", "40", "2", name, "", "", "", "", "46", identifier)


class _Hierarchy(Generic[Claim]):
    def __init__(self, writer: SegmentWriter, guide: ClaimGuide[Claim]) -> None:
        self._writer = writer
        self._guide = guide

    def write_provider(
        self,
        provider: BillingProvider,
        subscribers: dict[_SubscriberKey, dict[Patient | None, list[tuple[int, Claim]]]],
    ) -> None:
        writer = self._writer
        first = next(iter(next(iter(subscribers.values())).values()))[0][0]
        field = f"claims[{first}].billing_provider"
        level = writer.level(0, "20", children=True)
        if provider.taxonomy_code:
            taxonomy = writer.text(f"{field}.taxonomy_code", provider.taxonomy_code, 10, shortest=10)
            writer.add("PRV", "BI", "PXC", taxonomy)
        self._write_biller(field, provider)
        for (subscriber, payer, is_patient), patients in subscribers.items():
            self._write_subscriber(level, subscriber, payer, patients, is_patient=is_patient)

    def _write_biller(self, field: str, provider: BillingProvider) -> None:
        writer = self._writer
        if provider.first_name and not self._guide.biller_may_be_a_person:
            raise UnwritableValue(f"{field}.first_name", "must be empty: an institution bills")
        name = writer.text(f"{field}.name", provider.name, 60)
        first = writer.optional(f"{field}.first_name", provider.first_name, 35)
        number = npi(f"{field}.npi", provider.npi)
        kind = "1" if first else "2"
        writer.add("NM1", "85", kind, name, first, "", "", "", "XX", number)
        write_address(writer, f"{field}.address", provider.address, postal_lengths=(9,))
        writer.add("REF", "EI", digits(f"{field}.tax_id", provider.tax_id, 9))
        if provider.pay_to:
            writer.add("NM1", "87", kind)
            write_address(writer, f"{field}.pay_to", provider.pay_to)

    def _write_subscriber(
        self,
        parent: int,
        subscriber: Subscriber,
        payer: Payer,
        patients: dict[Patient | None, list[tuple[int, Claim]]],
        *,
        is_patient: bool,
    ) -> None:
        writer = self._writer
        claim = f"claims[{next(iter(patients.values()))[0][0]}]"
        field = f"{claim}.subscriber"
        level = writer.level(parent, "22", children=not is_patient)
        self._write_coverage(field, claim, subscriber, payer, is_patient=is_patient)
        member = writer.text(f"{field}.member_id", subscriber.member_id, 80, shortest=2)
        write_person(writer, "IL", field, subscriber, "MI", member)
        if is_patient:
            write_address(writer, f"{field}.address", subscriber.address)
            write_demographics(writer, field, subscriber)
        write_reference(writer, "Y4", f"{field}.casualty_number", subscriber.casualty_number)
        write_payer(writer, f"{claim}.payer", payer)
        for patient, own in patients.items():
            if patient is not None:
                self._write_patient(level, f"claims[{own[0][0]}].patient", patient)
            for index, each in own:
                self._guide.write_claim(writer, f"claims[{index}]", each)

    def _write_coverage(
        self, field: str, claim: str, subscriber: Subscriber, payer: Payer, *, is_patient: bool
    ) -> None:
        writer = self._writer
        responsibility = writer.one_of(f"{field}.responsibility", subscriber.responsibility, RESPONSIBILITIES)
        group = writer.optional(f"{field}.group_number", subscriber.group_number, 50)
        plan = "" if group else writer.optional(f"{field}.plan_name", subscriber.plan_name, 60)
        kind = ""
        if self._guide.has_insurance_type:
            kind = writer.optional(f"{field}.insurance_type", subscriber.insurance_type, 2, shortest=2)
        filing = writer.text(f"{claim}.payer.filing_indicator", payer.filing_indicator, 2)
        writer.add("SBR", responsibility, "18" if is_patient else "", group, plan, kind, "", "", "", filing)

    def _write_patient(self, parent: int, field: str, patient: Patient) -> None:
        writer = self._writer
        writer.level(parent, "23", children=False)
        writer.add("PAT", writer.text(f"{field}.relationship", patient.relationship, 2, shortest=2))
        write_person(writer, "QC", field, patient)
        write_address(writer, f"{field}.address", patient.address)
        write_demographics(writer, field, patient)
        write_reference(writer, "Y4", f"{field}.casualty_number", patient.casualty_number)


def write_payer(writer: SegmentWriter, field: str, payer: Payer) -> None:
    """The name of a payer (2010BB, 2330B), with its address where there is one."""
    name = writer.text(f"{field}.name", payer.name, 60)
    identifier = writer.text(f"{field}.identifier", payer.identifier, 80, shortest=2)
    writer.add("NM1", "PR", "2", name, "", "", "", "", "PI", identifier)
    if payer.address:
        write_address(writer, f"{field}.address", payer.address)
