"""The payers behind one clearinghouse: they take 837s, acknowledge them, decide the claims, and pay by 835."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from canonical.master_data import MasterData, Payer, UnknownMasterData
from canonical.money import Money

from sandbox.world.acknowledgements import (
    ACCEPTED,
    ClaimVerdict,
    claim_acknowledgement,
    implementation_acknowledgement,
    interchange_acknowledgement,
    rejected_set_fault,
)
from sandbox.world.adjudication import Decision, PayerRules, claim_dice
from sandbox.world.desk import ClaimFile, Desk, House, NextCoverages
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.next_payer import does_not_balance
from sandbox.world.received_claims import Frequency, ReceivedClaim
from sandbox.world.remittances import (
    PaidClaim,
    ProviderAdjustment,
    Remittance,
    corrupted,
    in_other_layout,
    write_remittance,
)
from sandbox.world.revisions import ChangeOrder
from sandbox.world.x12_claims import ReceivedInterchange, ReceivedSet, Unreadable, read_interchange
from sandbox.world.x12_writing import Route

PAYER_SEED = 5  # with it the small story sees a denial, a full payment and every kind of patient share
TAKEN_BY_CLEARINGHOUSE = "A1:19"
STOPPED_BY_CLEARINGHOUSE = "A3:21"


class AnswerKind(StrEnum):
    """What an answer is; the target by which a fault names it."""

    TA1 = "ta1"
    IMPLEMENTATION = "999"
    CLAIM_STATUS = "277ca"
    STATUS = "277"
    REPORT = "report"
    REMITTANCE = "835"


@dataclass(frozen=True, slots=True)
class Answer:
    """One file on its way to the biller."""

    kind: AnswerKind
    name: str
    content: bytes


class Payers:
    """All payers of the master data. The same seed decides the same claims the same way, in whatever order they come.

    Faults: REJECT by target `ta1`, `999`, `277ca` or `clearinghouse`; CORRUPT_ONE_CENT, UNKNOWN_CLAIM and DUPLICATE_OTHER_LAYOUT
    by payer code, applied to the next remittance of that payer. Also by payer code, at the next settlement with a claim
    that fits: CORRECTION (reversal and correction in one 835), CORRECTION_IN_TWO_FILES, CORRECTION_FIRST, DENIAL_OVERTURNED, PAYMENT_RETRACTED,
    RECOUPMENT_DEFERRED (retracted, the money taken later: WO), REFUND_ACKNOWLEDGED (WO and 72), INTEREST (L6), LEVY (LE), CROSSOVER,
    PREDETERMINATION, FORWARDED and SPLIT_CLAIM. What a payer takes back and cannot net is forwarded (FB) until it is zero.

    With `clearinghouse_reports` each claim is answered by two 277CAs, the clearinghouse's and then the payer's.
    """

    def __init__(
        self,
        seed: int,
        *,
        master_data: MasterData | None = None,
        rules: PayerRules | None = None,
        misbehaviour: Misbehaviour | None = None,
        send_interchange_acknowledgement: bool = True,
        claims_per_remittance: int = 100,
        first_control_number: int = 1,
        next_coverages: NextCoverages | None = None,
        clearinghouse_reports: bool = False,
    ) -> None:
        self.seed = seed
        self.master_data = master_data or sandbox_master_data()
        self.rules = rules or PayerRules()
        self.misbehaviour = misbehaviour or Misbehaviour()
        self._send_ta1 = send_interchange_acknowledgement
        self._claims_per_remittance = claims_per_remittance
        self._next_control_number = first_control_number
        self._seen_interchanges: set[tuple[str, str]] = set()
        self._claim_count = 0
        self._clearinghouse_reports = clearinghouse_reports
        self._house = House(seed, self.rules, self.master_data, self.misbehaviour, next_coverages or {})
        self._desks: dict[tuple[str, str], Desk] = {}
        self._unknown_members: dict[tuple[str, str], bool] = {}
        self.verdicts: list[ClaimVerdict] = []
        self.remittances: list[Remittance] = []
        self.unreadable: list[bytes] = []

    def receive(self, content: bytes, moment: datetime) -> list[Answer]:
        """Take one interchange and answer it; one that nobody can read is kept in `unreadable` and not answered."""
        try:
            received = read_interchange(content)
        except Unreadable:
            self.unreadable.append(content)
            return []
        fault = self._interchange_fault(received)
        answers = []
        if fault or self._send_ta1:
            route = self._route_back(received, moment)
            answers.append(_answer(AnswerKind.TA1, route, interchange_acknowledgement(route, received, fault)))
        if not fault:
            self._seen_interchanges.add((received.sender, received.control_number))
            answers += self._answers_to_groups(received, moment)
        return answers

    def take(self, claims: Iterable[ReceivedClaim], day: date) -> list[ClaimVerdict]:
        """Takes claims that somebody else has read, and says of each whether its payer has it."""
        verdicts = [self._verdict(claim, day) for claim in claims]
        self.verdicts += verdicts
        return verdicts

    def settle(self, payment_date: date) -> list[Remittance]:
        """Decide, change and pay everything that is due since the last settlement: remittances per payer and billing entity."""
        made: list[Remittance] = []
        crossing: list[tuple[str, str, ReceivedClaim]] = []
        for (_, entity_code), desk in sorted(self._desks.items()):
            batches = desk.settle(self._claims_per_remittance)
            for batch in batches:
                total = Money.total(paid.decision.paid for paid in batch.claims)
                adjustments = desk.open_items.adjustments(total, batch.own)
                made.append(self._remittance(desk.payer, entity_code, payment_date, batch.claims, adjustments))
            crossing += [(code, entity_code, claim) for code, claim in desk.crossed_over(batches, payment_date)]
        for payer_code, entity_code, claim in crossing:
            desk = self._desk(payer_code, entity_code, payment_date)
            desk.take(claim, self._payer_control_number(desk.payer, payment_date))
        self.remittances += made
        return made

    def change(self, patient_control_number: str, order: ChangeOrder, payer_code: str = "") -> None:
        """Change what was decided for one claim, at the next settlement; by the payer given, or the only one that has it.

        Raises:
            ValueError: nothing was decided, or several payers have the claim and none is given.
        """
        desks = [
            desk
            for (code, _), desk in self._desks.items()
            if desk.knows(patient_control_number) and payer_code in ("", code)
        ]
        if len(desks) != 1:
            raise ValueError(f"{patient_control_number}: {len(desks)} payers have it")
        desks[0].change(patient_control_number, order)

    def claim_files(self) -> list[tuple[str, str, ClaimFile]]:
        """Every claim with its payer and entity, by whose claim it is."""
        return [
            (payer_code, entity_code, file)
            for (payer_code, entity_code), desk in sorted(self._desks.items())
            for file in desk.files()
        ]

    @property
    def decisions(self) -> dict[str, Decision]:
        """What stands for each claim that was not split, by the biller's number; of several payers the one that decided last."""
        files = [file for _, _, file in self.claim_files() if len(file.standing) == 1]
        files.sort(key=lambda file: len(file.claim.paying_before))
        return {file.claim.patient_control_number: file.standing[0].decision for file in files}

    def still_to_take(self) -> Money:
        """What all payers together still want back."""
        items = [desk.open_items for desk in self._desks.values()]
        put_off = Money.total(each.amount for item in items for each in item.put_off)
        return put_off + Money.total(item.forwarded for item in items)

    def other_layouts(self, remittances: Iterable[Remittance]) -> list[Answer]:
        """Second copies in another line-break layout, for the payers that were told to send one."""
        return [
            Answer(AnswerKind.REMITTANCE, f"{_remittance_name(each)}-again.835", in_other_layout(each.content))
            for each in remittances
            if self.misbehaviour.strike(Fault.DUPLICATE_OTHER_LAYOUT, each.payer.code)
        ]

    def corrected(self, remittance: Remittance) -> Answer:
        """The faithful bytes of a remittance that was sent corrupted."""
        return Answer(
            AnswerKind.REMITTANCE, f"{_remittance_name(remittance)}-corrected.835", remittance.faithful_content
        )

    def _desk(self, payer_code: str, entity_code: str, day: date) -> Desk:
        payer = self.master_data.payer(payer_code, day)
        return self._desks.setdefault((payer_code, entity_code), Desk(payer, self._house))

    def _remittance(
        self,
        payer: Payer,
        entity_code: str,
        day: date,
        claims: list[PaidClaim],
        adjustments: list[ProviderAdjustment],
    ) -> Remittance:
        entity = self.master_data.entity(entity_code, day)
        number = self._control_number()
        trace = f"{payer.x12_identifier}{day:%y%m%d}{number:05d}"
        remittance = write_remittance(payer, entity, trace, day, claims, number, adjustments)
        if self.misbehaviour.strike(Fault.CORRUPT_ONE_CENT, payer.code):
            has_lines = any(claim.decision.lines for claim in claims)
            remittance = corrupted(remittance, "SVC" if has_lines else "CAS")
        return remittance

    def _interchange_fault(self, received: ReceivedInterchange) -> str:
        if (received.sender, received.control_number) in self._seen_interchanges:
            return "025"
        if self.misbehaviour.strike(Fault.REJECT, AnswerKind.TA1):
            return "024"
        return received.fault

    def _answers_to_groups(self, received: ReceivedInterchange, moment: datetime) -> list[Answer]:
        answers = []
        for group in received.groups:
            reject = bool(self.misbehaviour.strike(Fault.REJECT, AnswerKind.IMPLEMENTATION))
            route = self._route_back(received, moment)
            acknowledgement = implementation_acknowledgement(route, group, reject)
            answers.append(_answer(AnswerKind.IMPLEMENTATION, route, acknowledgement))
            for each in group.sets:
                if not rejected_set_fault(group, each, reject):
                    answers += self._claim_status(received, each, moment)
        return answers

    def _claim_status(self, received: ReceivedInterchange, each: ReceivedSet, moment: datetime) -> list[Answer]:
        """The clearinghouse's report, where it makes one, and the payer's on what the clearinghouse let through."""
        answers = []
        claims: Sequence[ReceivedClaim] = each.claims
        if self._clearinghouse_reports:
            stopped = bool(self.misbehaviour.strike(Fault.REJECT, "clearinghouse"))
            status = STOPPED_BY_CLEARINGHOUSE if stopped else TAKEN_BY_CLEARINGHOUSE
            verdicts = [ClaimVerdict(claim, not stopped, status) for claim in claims]
            answers.append(self._report(received, each, None, verdicts, moment))
            claims = () if stopped else claims
        if claims:
            verdicts = self.take(claims, moment.date())
            payers = {claim.payer_identifier for claim in claims}
            payer = self._payer(payers.pop(), moment.date()) if len(payers) == 1 else None
            answers.append(self._report(received, each, payer, verdicts, moment))
        return answers

    def _report(
        self,
        received: ReceivedInterchange,
        each: ReceivedSet,
        payer: Payer | None,
        verdicts: Sequence[ClaimVerdict],
        moment: datetime,
    ) -> Answer:
        route = self._route_back(received, moment)
        return _answer(AnswerKind.CLAIM_STATUS, route, claim_acknowledgement(route, each, payer, verdicts))

    def _verdict(self, claim: ReceivedClaim, day: date) -> ClaimVerdict:
        payer = self._payer(claim.payer_identifier, day)
        status = self._refusal(claim, payer, day)
        if status or payer is None:
            return ClaimVerdict(claim, False, status)
        control_number = self._payer_control_number(payer, day)
        entity = self.master_data.entity_by_npi(claim.billing_npi, day)
        self._desk(payer.code, entity.code, day).take(claim, control_number)
        return ClaimVerdict(claim, True, ACCEPTED, control_number)

    def _payer_control_number(self, payer: Payer, day: date) -> str:
        self._claim_count += 1
        return f"{payer.code[:3]}{day:%y%m%d}{self._claim_count:06d}"

    def _refusal(self, claim: ReceivedClaim, payer: Payer | None, day: date) -> str:
        """The STC01 composite that refuses the claim, or empty: facts first, then the share refused by rule."""
        if payer is None:
            return "A3:116"
        if not self._knows_provider(claim.billing_npi, day):
            return "A7:562:85"
        if not claim.member_id:
            return "A7:164:IL"
        if Money.total(line.charge for line in claim.lines) != claim.charge:
            return "A7:178"
        if does_not_balance(claim):
            return "A7:400"
        if fault := self._fault_of_version(claim, payer):
            return fault
        if self.misbehaviour.strike(Fault.REJECT, AnswerKind.CLAIM_STATUS):
            return "A7:33:IL"
        return "A7:33:IL" if self._is_unknown_member(claim) else ""

    def _is_unknown_member(self, claim: ReceivedClaim) -> bool:
        """By rule; what was said of a claim's first version holds for all of them, whatever they charge."""
        rejected = claim_dice(self.seed, "door", claim).chance(self.rules.rejected_percent)
        return self._unknown_members.setdefault((claim.payer_identifier, claim.patient_control_number), rejected)

    def _fault_of_version(self, claim: ReceivedClaim, payer: Payer) -> str:
        """An original that is known already, or a replacement or void of what this payer has never seen."""
        files = [
            desk.file(claim.patient_control_number)
            for (code, _), desk in self._desks.items()
            if code == payer.code and desk.knows(claim.patient_control_number)
        ]
        if claim.frequency in (Frequency.REPLACEMENT, Frequency.VOID):
            return "" if claim.payer_reference in [file.payer_control_number for file in files] else "A7:464"
        return "A3:54" if files else ""

    def _payer(self, identifier: str, day: date) -> Payer | None:
        try:
            return self.master_data.payer_by_x12(identifier, day)
        except UnknownMasterData:
            return None

    def _knows_provider(self, npi: str, day: date) -> bool:
        return any(entity.npi == npi and entity.holds_on(day) for entity in self.master_data.entities)

    def _route_back(self, received: ReceivedInterchange, moment: datetime) -> Route:
        return Route(received.receiver, received.sender, self._control_number(), moment)

    def _control_number(self) -> int:
        number = self._next_control_number
        self._next_control_number += 1
        return number


def remittance_answer(remittance: Remittance) -> Answer:
    """The file of a remittance."""
    return Answer(AnswerKind.REMITTANCE, f"{_remittance_name(remittance)}.835", remittance.content)


def _remittance_name(remittance: Remittance) -> str:
    return f"{remittance.payer.receiver_id}-{remittance.trace_number}"


def _answer(kind: AnswerKind, route: Route, content: bytes) -> Answer:
    return Answer(kind, f"{route.sender}-{route.control_number:09d}.{kind}", content)
