"""One claim: drafted from charges, held or ready by the edits, submitted, answered, and adjudicated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.codes import ClaimFrequency
from canonical.money import Money
from chassis.domain import Conflict, Event, Refusal

from claims.domain.answered_claim import AnsweredClaim
from claims.domain.claim_content import ClaimContent, HoldReason
from claims.domain.claim_state import NOT_AT_THE_PAYER, NOT_YET_SENT, RESUBMITTED_FROM, ClaimState, refuse_illegal_move
from claims.domain.decided_claim import MoneyMoved
from claims.domain.rules.edit_history import KeptRun


class ChangedClaim(Conflict):
    """The same posting of the same encounter came again with other charges."""


class NotAtThePayer(Refusal):
    """Only what a payer has taken can be replaced or voided, and what is voided is not replaced."""


class NoPayerControlNumber(Refusal):
    """A replacement or a void must name the payer's own number of the claim."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of the charges of one claim; without `content` nothing of it is left."""

    number: int
    content: ClaimContent | None
    total: Money
    previous_total: Money
    reason: str
    effective_date: date


class _AfterEdits(Event):
    """What a run of the edits led to keeps the run; nothing where the edits had no part in it."""

    edit_run: KeptRun | None = None

    def apply(self, claim: Claim) -> None:
        if self.edit_run is not None:
            claim.edit_runs = self.edit_run.number


class Claim(AnsweredClaim):
    """Its id follows from its patient control number. `edit_runs` counts the runs of the edits that its events keep."""

    def start(self) -> None:
        super().start()
        self.drafted: ClaimContent | None = None
        self.revising: Claim.RevisionTaken | None = None
        self.hold_reasons: tuple[HoldReason, ...] = ()
        self.holds = 0
        self.edit_runs = 0
        self.frequency = ClaimFrequency.ORIGINAL
        self.replaces = ""
        self.write_offs = 0
        self.written_off = Money.zero()

    class Drafted(Event):
        TOPIC = "claims.claim.drafted"
        content: ClaimContent

        def apply(self, claim: Claim) -> None:
            claim.content = claim.drafted = self.content

    class Held(_AfterEdits):
        """`number` counts the holds of one claim from 1."""

        TOPIC = "claims.claim.held"
        number: int
        reasons: tuple[HoldReason, ...]

        def apply(self, claim: Claim) -> None:
            super().apply(claim)
            claim.state = claim.undecided = ClaimState.HELD
            claim.holds = self.number
            claim.hold_reasons = self.reasons

    class MadeReady(_AfterEdits):
        TOPIC = "claims.claim.made-ready"

        def apply(self, claim: Claim) -> None:
            super().apply(claim)
            claim.state = claim.undecided = ClaimState.READY
            claim.hold_reasons = ()
            claim.rejection_codes = ()

    class EditsRan(_AfterEdits):
        """The edits were run, and the claim stands as it stood."""

        TOPIC = "claims.claim.edits-ran"

    class Submitted(_AfterEdits):
        """Committed to an interchange, which is sent until it is known to have arrived; to its payer, or `worked_by` a platform."""

        TOPIC = "claims.claim.submitted"
        interchange_id: UUID
        entity: Public[str]
        payer: Public[str]
        total: Money
        worked_by: Public[str] = ""

        def apply(self, claim: Claim) -> None:
            super().apply(claim)
            claim.state = claim.undecided = ClaimState.SUBMITTED
            claim.interchange_id = self.interchange_id
            claim.number_accepted = ""
            claim.is_answered = False
            claim.sent_as = claim.frequency
            claim.numbers_before |= {"", claim.replaces, claim.payer_control_number, *claim.decisions.numbers}
            claim.submissions = {**claim.submissions, self.interchange_id: claim.content}

    class Redrafted(Event):
        """Its charges, or what earlier payers decided, changed before the claim left, or left again, or it was passed on."""

        TOPIC = "claims.claim.redrafted"
        content: ClaimContent

        def apply(self, claim: Claim) -> None:
            claim.content = self.content
            if claim.revising is not None and self.content.revision >= claim.revising.revision:
                claim.revising = None

    class RevisionTaken(MoneyMoved):
        """The source revised its charges; `content` is the claim as it is to be, None where nothing of it is left.

        What the payer has is replaced or voided as soon as that can be; until then it is pending. `decided` says that a
        payer had decided on the claim before.
        """

        TOPIC = "claims.claim.revision-taken"
        revision: int
        sequence: int
        content: ClaimContent | None
        total: Money
        previous_total: Money
        decided: bool
        reason: Public[str]
        effective_date: Financial[date]

        def apply(self, claim: Claim) -> None:
            claim.revision = self.revision
            claim.revising = self

    class Withdrawn(Event):
        """Its charges were voided before any payer had it."""

        TOPIC = "claims.claim.withdrawn"

        def apply(self, claim: Claim) -> None:
            claim.state = claim.undecided = ClaimState.VOIDED
            claim.hold_reasons = ()
            claim.revising = None

    class CrossedOver(Event):
        """The payer before passed it on to this one by itself, so that we do not send it."""

        TOPIC = "claims.claim.crossed-over"
        prior_claim_id: UUID

        def apply(self, claim: Claim) -> None:
            claim.state = claim.undecided = ClaimState.SUBMITTED
            claim.crossed_over_from = self.prior_claim_id
            claim.hold_reasons = ()

    class ResubmissionIntended(Event):
        """It goes out again as a replacement (7) or a void (8) of what the payer has under `payer_control_number`."""

        TOPIC = "claims.claim.resubmission-intended"
        frequency: ClaimFrequency
        payer_control_number: Financial[str]
        reason: Public[str]

        def apply(self, claim: Claim) -> None:
            claim.state = claim.undecided = ClaimState.READY
            claim.frequency = self.frequency
            claim.replaces = self.payer_control_number
            if self.frequency is ClaimFrequency.VOID:
                claim.revising = None

    class DenialWrittenOff(MoneyMoved):
        """A denied amount was given up; a negative one was taken back, for it is denied no more. `write_off` counts them from 1."""

        TOPIC = "claims.claim.denial-written-off"
        write_off: int
        amount: Money
        reason: Public[str]
        approved_by: Public[str]
        effective_date: Financial[date]

        def apply(self, claim: Claim) -> None:
            claim.write_offs = self.write_off
            claim.written_off = claim.written_off + self.amount

    def draft(self, content: ClaimContent) -> bool:
        """Whether the claim is new; the same content again changes nothing.

        Raises:
            ChangedClaim: other content for the same posting.
        """
        if self.exists:
            if self.drafted is None or not self.drafted.says_the_same_as(content):
                raise ChangedClaim(f"claim {self.id} was drafted from other charges")
            return False
        self.trigger_event(self.Drafted, content=content)
        return True

    def hold(self, reasons: tuple[HoldReason, ...], run: KeptRun | None = None) -> None:
        """Holds it, or only keeps the run where it is held for the same already."""
        assert reasons, "a hold needs a reason"
        refuse_illegal_move(self.state, ClaimState.HELD)
        if self.state is not ClaimState.HELD or self.hold_reasons != reasons:
            self.trigger_event(self.Held, number=self.holds + 1, reasons=reasons, edit_run=run)
        elif run is not None:
            self.keep_run(run)

    def make_ready(self, run: KeptRun) -> None:
        """The edits passed; a claim that was rejected goes out again as an original."""
        refuse_illegal_move(self.state, ClaimState.READY)
        self.trigger_event(self.MadeReady, edit_run=run)

    def keep_run(self, run: KeptRun) -> None:
        """Keeps a run of the edits that changed nothing."""
        self.trigger_event(self.EditsRan, edit_run=run)

    def submit(self, interchange_id: UUID, run: KeptRun, worked_by: str = "") -> None:
        refuse_illegal_move(self.state, ClaimState.SUBMITTED)
        self.trigger_event(
            self.Submitted,
            interchange_id=interchange_id,
            entity=self.content.entity,
            payer=self.content.payer,
            total=self.content.total,
            worked_by=worked_by,
            edit_run=run,
        )

    def resubmit(self, frequency: ClaimFrequency, reason: str) -> None:
        """Sends it again, in the place of what the payer has. Its decisions stand until the payer takes them back.

        Raises:
            NotAtThePayer: the payer has not taken it, or it has been asked to void it.
            NoPayerControlNumber: the payer never told its own number, by which it would know what is meant.
        """
        assert frequency is not ClaimFrequency.ORIGINAL, "an original is not a resubmission"
        if self.state not in RESUBMITTED_FROM or self.frequency is ClaimFrequency.VOID:
            raise NotAtThePayer(f"claim {self.id} is {self.state}, with frequency {self.frequency.value}")
        number = self.latest_payer_control_number
        if not number:
            raise NoPayerControlNumber(f"claim {self.id}: no answer of the payer told its control number")
        self.trigger_event(self.ResubmissionIntended, frequency=frequency, payer_control_number=number, reason=reason)

    def take_revision(self, revision: Revision) -> bool:
        """Whether the revision is newer than what is known; it is pending then, in the place of an earlier one."""
        if revision.number <= self.revision:
            return False
        self.trigger_event(
            self.RevisionTaken,
            **self.whose,
            revision=revision.number,
            sequence=self.content.sequence,
            content=revision.content,
            total=revision.total,
            previous_total=revision.previous_total,
            decided=bool(self.adjudications),
            reason=revision.reason,
            effective_date=revision.effective_date,
        )
        return True

    def withdraw(self) -> None:
        """Gives up a claim that no payer has."""
        refuse_illegal_move(self.state, ClaimState.VOIDED)
        self.trigger_event(self.Withdrawn)

    def void_instead(self, reason: str) -> None:
        """Makes a void of a replacement that has not left yet: of the claim as the payer has it."""
        assert self.is_leaving_again
        if self.interchange_id:
            self.redraft(self.submissions[self.interchange_id])
        void, number = ClaimFrequency.VOID, self.replaces
        self.trigger_event(self.ResubmissionIntended, frequency=void, payer_control_number=number, reason=reason)

    @property
    def is_void(self) -> bool:
        """Whether nothing of it is left to bill, or nothing will be."""
        gone = self.state is ClaimState.VOIDED or self.frequency is ClaimFrequency.VOID
        return gone or (self.revising is not None and self.revising.content is None)

    @property
    def is_being_revised(self) -> bool:
        """Whether its decisions are of charges that have changed, and what replaces it has not left yet."""
        return self.revising is not None or (self.is_leaving_again and self.content.revision > 0)

    @property
    def is_leaving_again(self) -> bool:
        return self.frequency is not ClaimFrequency.ORIGINAL and self.undecided in NOT_YET_SENT

    @property
    def latest_payer_control_number(self) -> str:
        """What a 277CA told of a replacement, else what the latest decision told, else what a 277CA told."""
        if self.frequency is not ClaimFrequency.ORIGINAL and self.number_accepted:
            return self.number_accepted
        return self.decisions.payer_control_number or self.payer_control_number

    @property
    def is_ours_to_change(self) -> bool:
        """Whether no payer has it from us as it stands: not sent, refused, leaving as a replacement, or only passed on."""
        was_passed_on = self.crossed_over_from is not None and self.interchange_id is None
        return was_passed_on or (self.state in NOT_AT_THE_PAYER and self.frequency is not ClaimFrequency.VOID)

    def redraft(self, content: ClaimContent) -> bool:
        """Whether that is new to it. Each submission keeps what it was sent with."""
        assert self.is_ours_to_change, "what a payer has stays as it was sent"
        if content.says_the_same_as(self.content):
            return False
        self.trigger_event(self.Redrafted, content=content)
        return True

    def cross_over(self, prior_claim_id: UUID) -> bool:
        """Whether it leaves our hands by this: the payer before passed it on, and we do not send it."""
        if self.state not in NOT_YET_SENT or self.was_submitted:
            return False
        self.trigger_event(self.CrossedOver, prior_claim_id=prior_claim_id)
        return True

    def write_off_denial(self, amount: Money, reason: str, approved_by: str, effective_date: date) -> None:
        """Gives up a denied amount; its denial says how much there is to give up."""
        self.trigger_event(
            self.DenialWrittenOff,
            **self.whose,
            write_off=self.write_offs + 1,
            amount=amount,
            reason=reason,
            approved_by=approved_by,
            effective_date=effective_date,
        )
