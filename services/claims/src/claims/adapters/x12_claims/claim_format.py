"""Claims as 837 interchanges: our words into the library's, and its findings back to the claim at fault."""

from __future__ import annotations

import re
from collections.abc import Sequence

from canonical.codes import ClaimType
from x12.dental_claim_writer import write_dental_claims
from x12.errors import UnwritableValue
from x12.excerpt import excerpt
from x12.institutional_claim_writer import write_institutional_claims
from x12.professional_claim_writer import write_professional_claims
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.validation import validate
from x12.violations import ValidationError

from claims.adapters.validating import Validate
from claims.adapters.x12_claims.dental import dental_claim
from claims.adapters.x12_claims.institutional import institutional_claim
from claims.adapters.x12_claims.people import People
from claims.adapters.x12_claims.professional import professional_claim
from claims.application.ports import BillableClaim, FilePart, Unwritable
from claims.domain.interchange_order import InterchangeOrder

CONTACT_NAME = "BILLING OFFICE"
FAULTS_PER_CLAIM_MAX = 10
_CLAIM_PATH = re.compile(r"claims\[[0-9]+\]\.")


class X12ClaimFormat:
    """Writes with `x12`'s writers and validates with pyx12, here or in the processes of a pool.

    All claims of an interchange are of one type.
    """

    def __init__(self, validate: Validate = validate) -> None:
        self._validate = validate

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        try:
            return _written(order, claims)
        except UnwritableValue as fault:
            raise Unwritable(_unwritable_claims(order, claims) or _blaming_all(claims, str(fault))) from None

    def parts_about(self, content: bytes, patient_control_number: str) -> Sequence[FilePart]:
        return [FilePart(part.start, part.content) for part in excerpt(content, patient_control_number)]

    def write_validated(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        written = self.write(order, claims)
        errors = self._validate(written)
        if errors:
            raise Unwritable(self._invalid_claims(order, claims) or _blaming_all(claims, *map(_told, errors)))
        return written

    def _invalid_claims(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> dict[str, tuple[str, ...]]:
        """A validator often notices at the next claim what this one lacks, so every claim is validated alone."""
        faults: dict[str, tuple[str, ...]] = {}
        for claim in claims:
            errors = self._validate(_written(order, [claim]))
            if errors:
                told = tuple(map(_told, errors[:FAULTS_PER_CLAIM_MAX]))
                faults[claim.content.patient_control_number] = told
        return faults


def _written(order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
    submitter = Submitter(order.billing.name, order.billing.submitter_id, CONTACT_NAME, order.billing.contact_phone)
    receiver = Receiver(order.payer_party.name, order.payer_party.receiver_id)
    people, envelope = People(order), _envelope(order)
    if order.claim_type is ClaimType.INSTITUTIONAL:
        stays = [institutional_claim(claim, people) for claim in claims]
        return write_institutional_claims(envelope, submitter, receiver, stays)
    if order.claim_type is ClaimType.DENTAL:
        treatments = [dental_claim(claim, people) for claim in claims]
        return write_dental_claims(envelope, submitter, receiver, treatments)
    visits = [professional_claim(claim, people) for claim in claims]
    return write_professional_claims(envelope, submitter, receiver, visits)


def _unwritable_claims(order: InterchangeOrder, claims: Sequence[BillableClaim]) -> dict[str, tuple[str, ...]]:
    """The writer stops at the first fault, so every claim is tried alone."""
    faults: dict[str, tuple[str, ...]] = {}
    for claim in claims:
        try:
            _written(order, [claim])
        except UnwritableValue as fault:
            faults[claim.content.patient_control_number] = (_CLAIM_PATH.sub("", str(fault)),)
    return faults


def _blaming_all(claims: Sequence[BillableClaim], *findings: str) -> dict[str, tuple[str, ...]]:
    """The claims are well alone and not together: nothing leaves before a person has looked."""
    told = findings[:FAULTS_PER_CLAIM_MAX]
    return {claim.content.patient_control_number: tuple(f"together: {finding}" for finding in told) for claim in claims}


def _told(error: ValidationError) -> str:
    return f"{error.segment} {error.scope} {error.code}: {error.message}"


def _envelope(order: InterchangeOrder) -> SubmissionEnvelope:
    number = int(order.control_number)
    return SubmissionEnvelope(
        sender_id=order.billing.submitter_id,
        receiver_id=order.payer_party.receiver_id,
        interchange_control_number=number,
        group_control_number=number,
        created=order.created_at,
        reference=order.control_number,
        usage="P" if order.production else "T",
    )
