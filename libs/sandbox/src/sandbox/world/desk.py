"""One payer's desk for one billing entity: what waits to be decided, changed and taken back, until the next payment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from canonical.codes import AdjustmentGroup
from canonical.master_data import MasterData, Payer
from canonical.money import Money

from sandbox.world.adjudication import Decision, LineDecision, PayerRules, adjudicate
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.next_payer import adjudicate_next, forwarded_claim
from sandbox.world.open_items import (
    INTEREST,
    LEVY,
    OVERPAYMENT_RECOVERY,
    OpenItems,
    refund_acknowledged,
)
from sandbox.world.received_claims import Frequency, ReceivedClaim, ReceivedLine
from sandbox.world.remittances import PaidClaim, ProviderAdjustment
from sandbox.world.revisions import Change, ChangeOrder, Layout, corrected, reversal_of, split, without_payment

NextCoverages = Mapping[tuple[str, str], tuple[str, str]]
UNKNOWN_PATIENT_CONTROL_NUMBER = "TNOBODYSENTTHIS01"
FORWARDED_STATUS, PREDETERMINED_STATUS = "23", "25"
_CROSSED_OVER = {"1": "19", "2": "20", "3": "21"}
_TRANSFERRED, _PREDETERMINED = "B11", "101"
_CHANGES_BY_FAULT = (
    (Fault.CORRECTION, ChangeOrder(Change.REPRICED)),
    (Fault.CORRECTION_IN_TWO_FILES, ChangeOrder(Change.REPRICED, Layout.TWO_FILES)),
    (Fault.CORRECTION_FIRST, ChangeOrder(Change.REPRICED, Layout.CORRECTION_FIRST)),
    (Fault.DENIAL_OVERTURNED, ChangeOrder(Change.OVERTURNED)),
    (Fault.PAYMENT_RETRACTED, ChangeOrder(Change.RETRACTED)),
    (Fault.RECOUPMENT_DEFERRED, ChangeOrder(Change.RETRACTED, is_deferred=True)),
)


@dataclass(frozen=True, slots=True)
class House:
    """What all desks of the payers share. `next_coverages` is whom a member is insured with next, by payer and member."""

    seed: int
    rules: PayerRules
    master_data: MasterData
    misbehaviour: Misbehaviour
    next_coverages: NextCoverages


@dataclass(slots=True)
class ClaimFile:
    """One claim at one payer; `standing` are the decisions that have not been reversed (two where it was split).

    One that is pended is not decided before somebody goes on with it.
    """

    claim: ReceivedClaim
    payer_control_number: str
    standing: tuple[PaidClaim, ...] = ()
    is_waiting: bool = True
    is_pended: bool = False

    @property
    def place(self) -> tuple[str, int, str]:
        return (self.claim.member_id, self.claim.charge.minor, self.claim.patient_control_number)

    @property
    def is_due(self) -> bool:
        return self.is_waiting and not self.is_pended

    @property
    def paid(self) -> Money:
        return Money.total(each.decision.paid for each in self.standing)

    @property
    def is_denied(self) -> bool:
        return bool(self.standing) and all(each.decision.denied for each in self.standing)


@dataclass(slots=True)
class Batch:
    """The claims and PLB pairs of one remittance to be."""

    claims: list[PaidClaim] = field(default_factory=list)
    own: list[ProviderAdjustment] = field(default_factory=list)


class Desk:
    """Faults are asked for by payer code; each strikes once there is a claim that it fits."""

    def __init__(self, payer: Payer, house: House) -> None:
        self.payer = payer
        self.open_items = OpenItems()
        self._house = house
        self._files: dict[str, ClaimFile] = {}
        self._changes: list[tuple[ClaimFile, ChangeOrder]] = []

    def take(self, claim: ReceivedClaim, payer_control_number: str) -> None:
        """A new claim, or another version of one that is known (frequency 7 and 8)."""
        known = self._files.get(claim.patient_control_number)
        if known is None:
            self._files[claim.patient_control_number] = ClaimFile(claim, payer_control_number)
        else:
            known.claim, known.payer_control_number, known.is_waiting = claim, payer_control_number, True

    def files(self) -> list[ClaimFile]:
        """What is held of every claim, by whose claim it is: the order in which they came must not matter."""
        return sorted(self._files.values(), key=lambda file: file.place)

    def knows(self, patient_control_number: str) -> bool:
        return patient_control_number in self._files

    def file(self, patient_control_number: str) -> ClaimFile:
        """What is held of one claim.

        Raises:
            KeyError: this desk has never seen it.
        """
        return self._files[patient_control_number]

    def change(self, patient_control_number: str, order: ChangeOrder) -> None:
        """Change a decision at the next settlement.

        Raises:
            ValueError: no decision stands.
        """
        file = self._files[patient_control_number]
        if not file.standing:
            raise ValueError(f"{patient_control_number}: nothing has been decided that could be changed")
        self._changes.append((file, order))

    def settle(self, claims_per_batch: int) -> list[Batch]:
        """Everything that is due, as the remittances that will say it."""
        self._order_changes()
        decided = [paid for file in self.files() if file.is_due for paid in self._decided(file)]
        if decided and self._strikes(Fault.UNKNOWN_CLAIM):
            decided.append(_claim_nobody_sent(self.payer, decided[0].decision.claim.billing_npi))
        batches = [
            Batch(decided[start : start + claims_per_batch]) for start in range(0, len(decided), claims_per_batch)
        ]
        second = Batch()
        for file, order in self._changes:
            if not batches:
                batches.append(Batch())
            self._apply(file, order, batches[-1], second)
        self._changes.clear()
        batches += [second] if second.claims else []
        if batches:
            batches[0].own += self._asked()
        return batches

    def crossed_over(self, batches: Sequence[Batch], day: date) -> Iterator[tuple[str, ReceivedClaim]]:
        """The claims that go on to their next payer, with that payer's code."""
        for paid in (paid for batch in batches for paid in batch.claims):
            if paid.forwarded_to:
                _, member_id = self._house.next_coverages[self.payer.code, paid.decision.claim.member_id]
                carrier = paid.forwarded_to
                yield (
                    carrier.code,
                    forwarded_claim(paid.decision, carrier.x12_identifier, member_id, f"{day:%Y%m%d}"),
                )

    def _strikes(self, fault: Fault) -> bool:
        return bool(self._house.misbehaviour.strike(fault, self.payer.code))

    def _order_changes(self) -> None:
        """What faults ask for, each on the first claim that it fits, by whose claim it is."""
        for fault, order in _CHANGES_BY_FAULT:
            fitting = self._fitting(wants_denial=order.change is Change.OVERTURNED)
            if fitting and self._strikes(fault):
                self._changes.append((fitting[0], order))

    def _fitting(self, *, wants_denial: bool) -> list[ClaimFile]:
        taken = [file for file, _ in self._changes]
        return [
            file
            for file in self.files()
            if file.standing
            and not file.is_waiting
            and file not in taken
            and (file.is_denied if wants_denial else file.paid > Money(0))
        ]

    def _decided(self, file: ClaimFile) -> list[PaidClaim]:
        file.is_waiting = False
        number = file.payer_control_number
        reversals = _reversals(file)
        file.standing = ()
        if file.claim.frequency == Frequency.VOID:
            return reversals
        decision = self._decision(file.claim)
        if not reversals and self._strikes(Fault.FORWARDED):
            return [PaidClaim(without_payment(decision, FORWARDED_STATUS, _TRANSFERRED), number)]
        notes = []
        if not reversals and self._strikes(Fault.PREDETERMINATION):
            notes.append(PaidClaim(without_payment(decision, PREDETERMINED_STATUS, _PREDETERMINED), number))
        file.standing = self._told(decision, number)
        return [*reversals, *notes, *file.standing]

    def _decision(self, claim: ReceivedClaim) -> Decision:
        if claim.paying_before:
            return adjudicate_next(claim, self._house.seed)
        return adjudicate(claim, self.payer, self._house.seed, self._house.rules)

    def _told(self, decision: Decision, number: str) -> tuple[PaidClaim, ...]:
        carrier = self._next_carrier(decision)
        if carrier and self._strikes(Fault.CROSSOVER):
            crossed = Decision(
                decision.claim, _CROSSED_OVER[decision.status], decision.lines, decision.claim_adjustments
            )
            return (PaidClaim(crossed, number, forwarded_to=carrier),)
        may_split = len(decision.lines) > 1 and not decision.claim_adjustments
        if may_split and self._strikes(Fault.SPLIT_CLAIM):
            first, rest = split(decision)
            return PaidClaim(first, number), PaidClaim(rest, f"{number}S", split_from=number)
        return (PaidClaim(decision, number),)

    def _next_carrier(self, decision: Decision) -> Payer | None:
        """Whom a claim could cross over to: something is left to the patient, who is insured once more."""
        coverage = self._house.next_coverages.get((self.payer.code, decision.claim.member_id))
        if coverage is None or not decision.taken_off(AdjustmentGroup.PATIENT) or decision.status not in _CROSSED_OVER:
            return None
        return next(each for each in self._house.master_data.payers if each.code == coverage[0])

    def _apply(self, file: ClaimFile, order: ChangeOrder, first: Batch, second: Batch) -> None:
        reversals = _reversals(file)
        paid_before = file.paid
        whole = self._decision(file.claim)
        if len(file.standing) == 1:
            whole = file.standing[0].decision
        decision = corrected(whole, order.change, self.payer, self._house.seed, self._house.rules)
        correction = PaidClaim(decision, file.payer_control_number)
        file.standing = (correction,)
        reversing = second if order.layout is Layout.CORRECTION_FIRST else first
        correcting = second if order.layout is Layout.TWO_FILES else first
        reversing.claims += reversals
        correcting.claims.append(correction)
        too_much = paid_before - decision.paid
        if order.is_deferred and too_much > Money(0):
            reversing.own.append(ProviderAdjustment(OVERPAYMENT_RECOVERY, file.payer_control_number, -too_much))

    def _asked(self) -> list[ProviderAdjustment]:
        """The PLB pairs that faults ask for; the request's measure is the amount in cents."""
        pairs: list[ProviderAdjustment] = []
        reference = next((file.payer_control_number for file in self.files()), "")
        if strike := self._house.misbehaviour.strike(Fault.INTEREST, self.payer.code):
            pairs.append(ProviderAdjustment(INTEREST, "", -Money(strike.measure)))
        if strike := self._house.misbehaviour.strike(Fault.LEVY, self.payer.code):
            pairs.append(ProviderAdjustment(LEVY, "", Money(strike.measure)))
        if strike := self._house.misbehaviour.strike(Fault.REFUND_ACKNOWLEDGED, self.payer.code):
            pairs += refund_acknowledged(reference, Money(strike.measure))
        return pairs


def _reversals(file: ClaimFile) -> list[PaidClaim]:
    return [
        PaidClaim(reversal_of(each.decision), each.payer_control_number, split_from=each.split_from)
        for each in file.standing
    ]


def _claim_nobody_sent(payer: Payer, billing_npi: str) -> PaidClaim:
    line = ReceivedLine("99213", (), Money(123_45), "1", "20260105", "")
    claim = ReceivedClaim(
        patient_control_number=UNKNOWN_PATIENT_CONTROL_NUMBER,
        charge=line.charge,
        place_of_service="11",
        frequency="1",
        billing_npi=billing_npi,
        payer_identifier=payer.x12_identifier,
        member_id="M00000001",
        family_name="NOBODY",
        given_name="KNOWN",
        lines=(line,),
    )
    return PaidClaim(
        Decision(claim, "1", (LineDecision(line, line.charge, line.charge, ()),)), f"{payer.code[:3]}UNKNOWN"
    )
