"""What payers say of a patient's coverage on a day, answer by answer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event
from pydantic import AwareDatetime


class Active(StrEnum):
    """Whether the coverage is in force; `unknown` where the payer does not say, or could not find the person."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class CoverageAnswer(CanonicalModel):
    """What a 271 says of one person.

    `deductible` is that of the year, `deductible_left` what remains of it; `coinsurance_percent` is the patient's share.
    `rejections` are AAA03 codes, such as 72 (invalid member id) and 75 (not found): the question could not be answered.
    """

    active: Active
    plan: Financial[str] = ""
    deductible: Money | None = None
    deductible_left: Money | None = None
    copay: Money | None = None
    coinsurance_percent: Decimal | None = None
    rejections: tuple[Public[str], ...] = ()


class CoverageSubject(CanonicalModel):
    """Whose coverage, with whom, on which day; the patient by pseudonym."""

    patient_id: UUID
    payer: Public[str]
    service_date: Financial[date]


class CoverageProof(CanonicalModel):
    """Where an answer is from: digests are SHA-256 of question and answer in hex, which themselves rest nowhere."""

    asked_at: AwareDatetime
    trace: Public[str]
    clearinghouse: Public[str]
    question_digest: Public[str]
    answer_digest: Public[str]


class CoverageVerification(Aggregate):
    """Its id follows from its subject. Every answer is kept; the latest counts."""

    subject: CoverageSubject

    def start(self) -> None:
        self.answers = 0
        self.latest: tuple[CoverageAnswer, CoverageProof] | None = None

    class Answered(Event):
        TOPIC = "claims.coverage-verification.answered"
        subject: CoverageSubject
        answer: CoverageAnswer
        proof: CoverageProof

        def apply(self, verification: CoverageVerification) -> None:
            verification.subject = self.subject
            verification.answers += 1
            verification.latest = (self.answer, self.proof)

    def keep(self, subject: CoverageSubject, answer: CoverageAnswer, proof: CoverageProof) -> None:
        """Keeps an answer with where it is from."""
        self.trigger_event(self.Answered, subject=subject, answer=answer, proof=proof)


def coverage_verification_id_of(subject: CoverageSubject) -> UUID:
    return derive("coverage-verification", subject.patient_id, subject.payer, subject.service_date.isoformat())
