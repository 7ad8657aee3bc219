"""Questions to payers as 270 and 276, and what a 271 answers: our words into the library's and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO

from canonical.codes import ClaimType
from canonical.money import Money
from x12.eligibility import (
    CO_INSURANCE,
    CO_PAYMENT,
    DEDUCTIBLE,
    Benefit,
    EligibilityAnswer,
    EligibilityInquiry,
    InquiredPayer,
    InquiredPerson,
    InquiringProvider,
)
from x12.eligibility_writer import write_eligibility_inquiries
from x12.errors import LimitExceeded, NotAnInterchange, UnwritableValue
from x12.reading import read
from x12.status_inquiry import InformationReceiver, StatusInquiry
from x12.status_inquiry_writer import write_status_inquiries
from x12.submission_envelope import SubmissionEnvelope
from x12.validation import validate

from claims.adapters.validating import Validate
from claims.adapters.x12_claims.people import SELF, own_coverage, subscriber_name
from claims.application.ports import BillableClaim, NotAnAnswer, Unwritable
from claims.domain.coverage import Active, CoverageAnswer
from claims.domain.inquiry_order import InquiryOrder

OFFICE_VISIT = "98"
CALENDAR_YEAR, REMAINING = "23", "29"
PLAN_CHARACTERS_MAX = 50
REJECTIONS_MAX = 9
_GENDERS = frozenset("FM")
_ORIGINAL_BILL = "1"
_ACTIVE = {True: Active.YES, False: Active.NO, None: Active.UNKNOWN}


class X12InquiryFormat:
    """Writes with `x12`'s writers, lets nothing leave that its validator finds fault with, and reads a 271 with its reader."""

    def __init__(self, validate: Validate = validate) -> None:
        self._validate = validate

    def coverage_question(self, order: InquiryOrder, claim: BillableClaim) -> bytes:
        try:
            written = write_eligibility_inquiries(_envelope(order), [_inquiry(order, claim)], _originator(order))
            return self._validated(written)
        except UnwritableValue as fault:
            raise Unwritable({claim.content.patient_control_number: (str(fault),)}) from None

    def coverage_answer(self, order: InquiryOrder, answer: bytes) -> CoverageAnswer:
        """A payer or provider that is rejected repeats no trace."""
        try:
            events = list(read(BytesIO(answer)))
        except (NotAnInterchange, LimitExceeded) as unreadable:
            raise NotAnAnswer(f"no 271 can be read: {type(unreadable).__name__}") from None
        answers = [each for each in events if isinstance(each, EligibilityAnswer)]
        ours = [each for each in answers if each.trace == order.trace(1)] or [
            each for each in answers if not each.trace
        ]
        if len(ours) != 1:
            raise NotAnAnswer(f"{len(answers)} answers, {len(ours)} to question {order.trace(1)}")
        return _coverage(ours[0])

    def status_questions(self, order: InquiryOrder, claims: Sequence[BillableClaim]) -> bytes:
        questions, faults = [], dict[str, tuple[str, ...]]()
        for number, claim in enumerate(claims, 1):
            try:
                question = _status_inquiry(order, number, claim)
                self._written(order, [question])
            except UnwritableValue as fault:
                faults[claim.content.patient_control_number] = (str(fault),)
            else:
                questions.append(question)
        if faults:
            raise Unwritable(faults)
        return self._written(order, questions)

    def _written(self, order: InquiryOrder, questions: Sequence[StatusInquiry]) -> bytes:
        billing = order.parties.billing
        receiver = InformationReceiver(billing.name, billing.submitter_id)
        return self._validated(write_status_inquiries(_envelope(order), receiver, questions))

    def _validated(self, written: bytes) -> bytes:
        """Raises UnwritableValue where the guide is broken; the message names segments, never values."""
        errors = self._validate(written)
        if errors:
            first = errors[0]
            raise UnwritableValue(first.segment, f"{first.code}: {first.message}")
        return written


def _envelope(order: InquiryOrder) -> SubmissionEnvelope:
    number = int(order.control_number)
    return SubmissionEnvelope(
        sender_id=order.parties.billing.submitter_id,
        receiver_id=order.parties.payer.receiver_id,
        interchange_control_number=number,
        group_control_number=number,
        created=order.created_at,
        reference=order.control_number,
        usage="P" if order.production else "T",
    )


def _originator(order: InquiryOrder) -> str:
    """TRN03: 1 and the tax id."""
    return f"1{order.parties.billing.tax_id.replace('-', '')}"


def _payer(order: InquiryOrder) -> InquiredPayer:
    return InquiredPayer(order.parties.payer.name, order.parties.payer.x12_identifier)


def _provider(order: InquiryOrder) -> InquiringProvider:
    return InquiringProvider(order.parties.billing.name, order.parties.billing.npi)


def _persons(claim: BillableClaim) -> tuple[InquiredPerson, InquiredPerson | None]:
    """The subscriber, and the patient where that is somebody else. Birth date and gender are the patient's."""
    coverage, patient = own_coverage(claim), claim.phi.patient
    gender = patient.sex if patient.sex in _GENDERS else ""
    last_name, first_name = subscriber_name(coverage, claim.phi)
    if coverage.relationship == SELF:
        return InquiredPerson(last_name, first_name, patient.birth_date, gender, coverage.member_id), None
    dependent = InquiredPerson(patient.family_name, patient.given_name, patient.birth_date, gender)
    return InquiredPerson(last_name, first_name, None, member_id=coverage.member_id), dependent


def _inquiry(order: InquiryOrder, claim: BillableClaim) -> EligibilityInquiry:
    subscriber, dependent = _persons(claim)
    return EligibilityInquiry(
        trace=order.trace(1),
        payer=_payer(order),
        provider=_provider(order),
        subscriber=subscriber,
        service_date=claim.content.service_from,
        dependent=dependent,
    )


def _status_inquiry(order: InquiryOrder, number: int, claim: BillableClaim) -> StatusInquiry:
    content, stay = claim.content, claim.phi.stay
    subscriber, dependent = _persons(claim)
    is_institutional = content.claim_type is ClaimType.INSTITUTIONAL and stay is not None
    return StatusInquiry(
        trace=order.trace(number),
        payer=_payer(order),
        provider=_provider(order),
        subscriber=subscriber,
        patient_control_number=content.patient_control_number,
        charge=content.total,
        service_from=content.service_from,
        service_to=content.service_to,
        dependent=dependent,
        bill_type=f"{stay.bill_type}{_ORIGINAL_BILL}" if is_institutional and stay else "",
    )


def _coverage(answer: EligibilityAnswer) -> CoverageAnswer:
    copays = answer.amounts(CO_PAYMENT, OFFICE_VISIT) or answer.amounts(CO_PAYMENT)
    deductibles = answer.amounts(DEDUCTIBLE)
    shares = [each.share for each in _own(answer.amounts(CO_INSURANCE)) if each.share is not None]
    return CoverageAnswer(
        active=_ACTIVE[answer.is_active],
        plan=answer.plan[:PLAN_CHARACTERS_MAX],
        deductible=_amount(each for each in deductibles if each.period in ("", CALENDAR_YEAR)),
        deductible_left=_amount(each for each in deductibles if each.period == REMAINING),
        copay=_amount(copays),
        coinsurance_percent=(shares[0] * 100).normalize() + Decimal(0) if shares else None,
        rejections=tuple(each.reason for each in answer.rejections[:REJECTIONS_MAX]),
    )


def _own(benefits: Iterable[Benefit]) -> list[Benefit]:
    """Those of the person within the network first; those of a family last."""
    return sorted(benefits, key=lambda each: (each.coverage_level not in ("", "IND"), each.in_network == "N"))


def _amount(benefits: Iterable[Benefit]) -> Money | None:
    return next((each.amount for each in _own(benefits) if each.amount is not None), None)
