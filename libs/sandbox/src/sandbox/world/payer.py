"""The payers behind one clearinghouse: they take 837s, acknowledge them, decide the claims, and pay by 835."""

from __future__ import annotations

from collections.abc import Iterable
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
from sandbox.world.adjudication import Decision, LineDecision, PayerRules, adjudicate, claim_dice
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.remittances import PaidClaim, Remittance, corrupted, in_other_layout, write_remittance
from sandbox.world.x12_claims import (
    ReceivedClaim,
    ReceivedInterchange,
    ReceivedLine,
    ReceivedSet,
    Unreadable,
    read_interchange,
)
from sandbox.world.x12_writing import Route

PAYER_SEED = 5  # with it the small story sees a denial, a full payment and every kind of patient share
UNKNOWN_PATIENT_CONTROL_NUMBER = "TNOBODYSENTTHIS01"


class AnswerKind(StrEnum):
    """What an answer is; the target by which a fault names it."""

    TA1 = "ta1"
    IMPLEMENTATION = "999"
    CLAIM_STATUS = "277ca"
    REMITTANCE = "835"


@dataclass(frozen=True, slots=True)
class Answer:
    """One file on its way to the biller."""

    kind: AnswerKind
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Pending:
    claim: ReceivedClaim
    payer_control_number: str


class Payers:
    """All payers of the master data. The same seed decides the same claims the same way, in whatever order they come.

    Faults: REJECT by target `ta1`, `999` or `277ca`; CORRUPT_ONE_CENT, UNKNOWN_CLAIM and DUPLICATE_OTHER_LAYOUT by payer
    code, applied to the next remittance of that payer.
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
    ) -> None:
        self.seed = seed
        self.master_data = master_data or sandbox_master_data()
        self.rules = rules or PayerRules()
        self.misbehaviour = misbehaviour or Misbehaviour()
        self._send_ta1 = send_interchange_acknowledgement
        self._claims_per_remittance = claims_per_remittance
        self._next_control_number = first_control_number
        self._seen_interchanges: set[tuple[str, str]] = set()
        self._seen_claims: set[str] = set()
        self._pending: dict[tuple[str, str], list[_Pending]] = {}
        self.decisions: dict[str, Decision] = {}
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

    def settle(self, payment_date: date) -> list[Remittance]:
        """Decide and pay everything accepted since the last settlement: remittances per payer and billing entity."""
        made = []
        for (payer_code, entity_code), waiting in sorted(self._pending.items()):
            payer = self.master_data.payer(payer_code, payment_date)
            paid = [self._decided(pending, payer) for pending in waiting]
            if self.misbehaviour.strike(Fault.UNKNOWN_CLAIM, payer_code):
                paid.append(_claim_nobody_sent(payer, paid[0].decision.claim.billing_npi))
            for start in range(0, len(paid), self._claims_per_remittance):
                part = paid[start : start + self._claims_per_remittance]
                made += self._remittance(payer, entity_code, payment_date, part)
        self._pending.clear()
        self.remittances += made
        return made

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

    def _decided(self, pending: _Pending, payer: Payer) -> PaidClaim:
        decision = adjudicate(pending.claim, payer, self.seed, self.rules)
        self.decisions[pending.claim.patient_control_number] = decision
        return PaidClaim(decision, pending.payer_control_number)

    def _remittance(self, payer: Payer, entity_code: str, day: date, claims: list[PaidClaim]) -> list[Remittance]:
        entity = self.master_data.entity(entity_code, day)
        number = self._control_number()
        trace = f"{payer.x12_identifier}{day:%y%m%d}{number:05d}"
        remittance = write_remittance(payer, entity, trace, day, claims, number)
        if self.misbehaviour.strike(Fault.CORRUPT_ONE_CENT, payer.code):
            remittance = corrupted(remittance)
        return [remittance]

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
                    answers.append(self._claim_status(received, each, moment))
        return answers

    def _claim_status(self, received: ReceivedInterchange, each: ReceivedSet, moment: datetime) -> Answer:
        verdicts = [self._verdict(claim, moment.date()) for claim in each.claims]
        self.verdicts += verdicts
        route = self._route_back(received, moment)
        payers = {claim.payer_identifier for claim in each.claims}
        payer = self._payer(payers.pop(), moment.date()) if len(payers) == 1 else None
        return _answer(AnswerKind.CLAIM_STATUS, route, claim_acknowledgement(route, each, payer, verdicts))

    def _verdict(self, claim: ReceivedClaim, day: date) -> ClaimVerdict:
        payer = self._payer(claim.payer_identifier, day)
        status = self._refusal(claim, payer, day)
        if status or payer is None:
            return ClaimVerdict(claim, False, status)
        control_number = f"{payer.code[:3]}{day:%y%m%d}{len(self._seen_claims) + 1:06d}"
        self._seen_claims.add(claim.patient_control_number)
        entity = self.master_data.entity_by_npi(claim.billing_npi, day)
        self._pending.setdefault((payer.code, entity.code), []).append(_Pending(claim, control_number))
        return ClaimVerdict(claim, True, ACCEPTED, control_number)

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
        if claim.patient_control_number in self._seen_claims:
            return "A3:54"
        if self.misbehaviour.strike(Fault.REJECT, AnswerKind.CLAIM_STATUS):
            return "A7:33:IL"
        rejected = claim_dice(self.seed, "door", claim).chance(self.rules.rejected_percent)
        return "A7:33:IL" if rejected else ""

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
    decision = Decision(claim, "1", (LineDecision(line, line.charge, line.charge, ()),))
    return PaidClaim(decision, f"{payer.code[:3]}UNKNOWN")
