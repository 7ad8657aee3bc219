"""The sweep that puts ready claims into interchanges: written, validated and recorded before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from canonical.codes import ClaimFrequency
from canonical.encounter import EncounterPhi
from canonical.ids import derive
from canonical.master_data import CLAIMS_PER_INTERCHANGE_MAX, Payer, UnknownMasterData
from canonical.money import Money
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash

from claims.application.contexts import caused_by
from claims.application.editing import prefetch_edit_runs, run_edits
from claims.application.next_claims import tell_claims_before
from claims.application.ports import BillableClaim, ClaimFormat, PatientDetailsVault, Unwritable
from claims.application.read_models import CLAIMS
from claims.application.use_cases import claims_of, hold_claim
from claims.domain.claim import Claim
from claims.domain.claim_content import HoldReason
from claims.domain.claim_state import ClaimState
from claims.domain.control_numbers import CONTROL_NUMBERS_ID, ControlNumbers, interchange_id_of
from claims.domain.interchange import Interchange
from claims.domain.interchange_order import (
    InterchangeOrder,
    Parties,
    Resubmission,
    going_together,
    order_of,
    parties_of,
)
from claims.domain.rules.edit_history import KeptRun, Stage
from claims.domain.rules.edits import ClaimEdits

REASONS_PER_CLAIM_MAX = 10
CLOSED = HoldReason(
    code="DetailsClosed", needs="details that open: their key was destroyed, or they do not authenticate"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    claim: Claim
    parties: Parties
    phi: EncounterPhi
    run: KeptRun

    @property
    def billable(self) -> BillableClaim:
        return BillableClaim(self.claim.content, self.phi)


class ClaimSubmission:
    """`run` intends one interchange for each (entity, payer) with ready claims, in one transaction each.

    A group waits for its payer's sending window, and until its first claim has been ready for `gathering_seconds` or it
    fills an interchange of the payer's size.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        edits: ClaimEdits,
        claim_format: ClaimFormat,
        vault: PatientDetailsVault,
        *,
        production: bool = False,
        gathering_seconds: float = 0.0,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._clock = clock
        self._edits = edits
        self._format = claim_format
        self._vault = vault
        self._production = production
        self._gathering = timedelta(seconds=gathering_seconds)
        self._crash_point = crash_point

    def run(self) -> int:
        """How many claims are ready no more: in an interchange, or held."""
        return sum(self._submit(claim_ids) for claim_ids in self._ready_groups())

    def _ready_groups(self) -> Iterable[list[UUID]]:
        """Ready claims by entity and payer, longest ready first, of each what the payer takes in one interchange now."""
        now, ready = self._clock(), {"state": ClaimState.READY.value}
        for group in self._store.sums(CLAIMS, ["charge_minor"], ["entity", "payer"], ready):
            payer = self._payer(str(group["payer"]), now)
            if payer and not payer.takes_claims_at(now):
                continue
            limit = payer.claims_per_interchange if payer else CLAIMS_PER_INTERCHANGE_MAX
            where = ready | {"entity": group["entity"], "payer": group["payer"]}
            found = self._store.rows(CLAIMS, where, order=("changed_at",), limit=limit)
            if len(found) == limit or (found and self._is_gathered(found[0], now)):
                yield [claim_id for row in found if isinstance(claim_id := row["claim_id"], UUID)]

    def _payer(self, code: str, now: datetime) -> Payer | None:
        """None where master data lost it: the edits hold its claims for that."""
        try:
            return self._edits.master_data.payer(code, now.date())
        except UnknownMasterData:
            return None

    def _is_gathered(self, longest_ready: Row, now: datetime) -> bool:
        ready_since = longest_ready["changed_at"]
        assert isinstance(ready_since, datetime)
        return ready_since <= now - self._gathering

    def _submit(self, claim_ids: Sequence[UUID]) -> int:
        context = caused_by(self._clock(), derive("submission", *claim_ids))
        return transact(self._store, context, lambda work: self._decide(work, claim_ids), crash_point=self._crash_point)

    def _decide(self, work: Work, claim_ids: Sequence[UUID]) -> int:
        """Holds what cannot go out, and intends one interchange of the rest; each round holds one claim at least."""
        ready = [claim for claim in claims_of(work, claim_ids) if claim.state is ClaimState.READY]
        passed = candidates = self._candidates(work, ready)
        while candidates:
            candidates = [candidates[index] for index in going_together([each.parties for each in candidates])]
            order = self._order(work, candidates)
            try:
                written = self._format.write_validated(order, [each.billable for each in candidates])
            except Unwritable as faulty:
                candidates = self._holding(work, candidates, faulty)
                continue
            self._record(work, order, candidates, digest_of(written))
            break
        for each in passed:
            if each.claim.state is ClaimState.READY:
                each.claim.keep_run(each.run)
        return sum(claim.state is not ClaimState.READY for claim in ready)

    def _candidates(self, work: Work, ready: Sequence[Claim]) -> list[_Candidate]:
        """The claims that pass the edits still, with their parties and opened details; the others are held."""
        candidates = []
        opened = self._vault.open_details([claim.content.details for claim in ready])
        prefetch_edit_runs(work, ready)
        for claim, phi in zip(ready, opened, strict=True):
            run = run_edits(work, claim, self._edits, Stage.SUBMISSION, phi)
            if run.findings or phi is None:
                hold_claim(work, claim, run.reasons or (CLOSED,), run)
                continue
            try:
                parties = parties_of(claim.content, self._edits.master_data, _providers_named_in(phi))
            except UnknownMasterData as unknown:
                hold_claim(work, claim, (HoldReason(code="UnknownParty", needs=f"{unknown} in master data"),), run)
            else:
                candidates.append(_Candidate(claim, parties, phi, run))
        return candidates

    def _holding(self, work: Work, candidates: Sequence[_Candidate], faulty: Unwritable) -> list[_Candidate]:
        """What is left once the faulty claims are held, each with what is wrong with it."""
        left = []
        for each in candidates:
            faults = faulty.by_claim.get(each.claim.content.patient_control_number)
            if faults is None:
                left.append(each)
            else:
                reasons = (HoldReason(code="Unwritable", needs=fault) for fault in faults[:REASONS_PER_CLAIM_MAX])
                hold_claim(work, each.claim, tuple(reasons), each.run)
        assert len(left) < len(candidates), "a faulty claim is one of those written"
        return left

    def _order(self, work: Work, candidates: Sequence[_Candidate]) -> InterchangeOrder:
        """The order under the next control number, which is not taken before the order is recorded."""
        contents = [each.claim.content for each in candidates]
        parties = [each.parties for each in candidates]
        number = work.get_or_new(ControlNumbers, CONTROL_NUMBERS_ID).next_number
        again = [
            Resubmission(
                patient_control_number=each.claim.content.patient_control_number,
                frequency=each.claim.frequency,
                payer_control_number=each.claim.replaces,
            )
            for each in candidates
            if each.claim.frequency is not ClaimFrequency.ORIGINAL
        ]
        now = self._clock()
        return order_of(contents, parties, number, now, production=self._production, resubmissions=again)

    def _record(self, work: Work, order: InterchangeOrder, going: Sequence[_Candidate], digest: str) -> None:
        """Takes the number, records the intent and submits the claims with it.

        Answers of payers are sealed under the patients' keys, so these are linked before there can be an answer.
        """
        issued = work.get_or_new(ControlNumbers, CONTROL_NUMBERS_ID).issue()
        assert issued == order.control_number, "one unit of work holds the numbers"
        interchange = work.get_or_new(Interchange, interchange_id_of(issued))
        claims = [each.claim for each in going]
        total = Money.total(claim.content.total for claim in claims)
        interchange.intend(order, tuple(claim.id for claim in claims), total, digest)
        for each in going:
            each.claim.submit(interchange.id, each.run, order.platform)
        tell_claims_before(work, claims)
        self._vault.link_control_numbers(
            {claim.content.patient_control_number: claim.content.details.key_id for claim in claims}
        )


def _providers_named_in(phi: EncounterPhi) -> tuple[str, ...]:
    """The codes of providers beside the one who rendered the service."""
    return (phi.referring_provider, phi.stay.attending_provider if phi.stay else "")


def digest_of(content: bytes) -> str:
    """What tells one file from another: SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()
