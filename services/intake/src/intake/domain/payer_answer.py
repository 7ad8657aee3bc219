"""What a payer, clearinghouse or platform says of our interchanges and claims: TA1, 999, 277CA, 277, and balances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Event

STATUSES_PER_EVENT_MAX = 200


class Acknowledgement(CanonicalModel):
    """A TA1, or the answer to one group of ours in a 999; fields as `canonical.events.intake.AcknowledgementReceived`."""

    kind: Public[str]
    interchange_control_number: Public[str] = ""
    group_control_number: Public[str] = ""
    code: Public[str]
    rejected_sets: tuple[Public[str], ...] = ()
    notes: tuple[Public[str], ...] = ()


class ClaimStatus(CanonicalModel):
    """One claim in a 277CA."""

    patient_control_number: Public[str]
    accepted: bool
    payer_control_number: Financial[str] = ""
    category_codes: tuple[Public[str], ...] = ()
    charge: Money
    reporter: Public[str] = ""
    submission_reference: Public[str] = ""


class InquiryAnswer(CanonicalModel):
    """One claim in a 277 (X212); fields as `canonical.events.intake.ClaimStatusReported`."""

    patient_control_number: Public[str]
    inquiry_reference: Public[str] = ""
    category_codes: tuple[Public[str], ...]
    status_codes: tuple[Public[str], ...] = ()
    payer_control_number: Financial[str] = ""
    charge: Money | None = None
    paid: Money | None = None
    status_date: Financial[date] | None = None


class ReportedBalance(CanonicalModel):
    """What an external platform holds to be open of a claim at its payer; fields as `canonical.events.intake.PlatformBalanceReported`."""

    platform: Public[str]
    patient_control_number: Public[str]
    balance: Money
    as_of: Financial[date]


class PayerAnswer(Aggregate):
    """Id: message and ordinal in it. It is read once; reading it again changes nothing."""

    def start(self) -> None:
        self.statuses_read = 0

    class AcknowledgementRead(Event):
        TOPIC = "intake.payer-answer.acknowledgement-read"
        message_id: UUID
        acknowledgement: Acknowledgement

        def apply(self, answer: PayerAnswer) -> None:
            """An acknowledgement is an event and no state."""

    class StatusesRead(Event):
        """At most 200 statuses, because each is announced by itself and all of one event together."""

        TOPIC = "intake.payer-answer.statuses-read"
        message_id: UUID
        statuses: tuple[ClaimStatus, ...]

        def apply(self, answer: PayerAnswer) -> None:
            answer.statuses_read += len(self.statuses)

    class InquiryAnswersRead(Event):
        """As `StatusesRead`, for the answers to a 276."""

        TOPIC = "intake.payer-answer.inquiry-answers-read"
        message_id: UUID
        statuses: tuple[InquiryAnswer, ...]

        def apply(self, answer: PayerAnswer) -> None:
            answer.statuses_read += len(self.statuses)

    class BalancesRead(Event):
        """As `StatusesRead`, for the balances of a platform."""

        TOPIC = "intake.payer-answer.balances-read"
        message_id: UUID
        statuses: tuple[ReportedBalance, ...]

        def apply(self, answer: PayerAnswer) -> None:
            answer.statuses_read += len(self.statuses)

    def read_acknowledgement(self, message_id: UUID, acknowledgement: Acknowledgement) -> None:
        if not self.exists:
            self.trigger_event(self.AcknowledgementRead, message_id=message_id, acknowledgement=acknowledgement)

    def read_statuses(self, message_id: UUID, statuses: Sequence[ClaimStatus]) -> None:
        self._read_in_portions(self.StatusesRead, message_id, statuses)

    def read_inquiry_answers(self, message_id: UUID, answers: Sequence[InquiryAnswer]) -> None:
        self._read_in_portions(self.InquiryAnswersRead, message_id, answers)

    def read_balances(self, message_id: UUID, balances: Sequence[ReportedBalance]) -> None:
        self._read_in_portions(self.BalancesRead, message_id, balances)

    def _read_in_portions(self, event: type[Event], message_id: UUID, read: Sequence[CanonicalModel]) -> None:
        if not self.exists:
            for start in range(0, len(read), STATUSES_PER_EVENT_MAX):
                portion = tuple(read[start : start + STATUSES_PER_EVENT_MAX])
                self.trigger_event(event, message_id=message_id, statuses=portion)
