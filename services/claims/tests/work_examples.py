"""One instance of every stored event of people's work on claims, for the golden files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from canonical.codes import AdjustmentGroup
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from claims.domain.access import (
    FilingDisclosure,
    PlatformDisclosure,
    filing_disclosure_id_of,
    platform_disclosure_id_of,
)
from claims.domain.claim import Claim
from claims.domain.claim_content import HoldReason
from claims.domain.contract_review import ContractReview, contract_review_id_of
from claims.domain.control_numbers import interchange_id_of
from claims.domain.denial import Denial, denial_id_of
from claims.domain.denial_facts import DenialAction, DenialClock, DenialFacts, DenialOutcome, DenialState
from claims.domain.denial_reasons import DenialCategory, DenialReason
from claims.domain.platform_balance import PlatformBalance, platform_balance_id_of
from claims.domain.platform_watch import PlatformWatch, Silence, platform_watch_id_of
from claims.domain.rules.edit_history import EditHistory, KeptRun, Stage, edit_history_id_of
from claims.domain.rules.edits import EditFinding

from .world import claim_id, control_number

AMOUNT, PART = Money.of("250.00"), Money.of("100.00")
REASON = DenialReason(group=AdjustmentGroup.CONTRACTUAL, reason="197", amount=AMOUNT)
FACTS = DenialFacts(
    claim_id=claim_id(),
    number=1,
    patient_control_number=control_number(),
    entity="NORTH",
    payer="ACME",
    remittance_id=derive("test-remittance", 1),
    position=0,
    reasons=(REASON,),
    remark_codes=("M62",),
    category=DenialCategory.AUTHORIZATION,
    queue="authorizations",
    automatic=Money.zero(),
    denied_on=date(2026, 3, 20),
    appeal_by=date(2026, 9, 16),
    file_by=date(2027, 3, 2),
)
HELD = HoldReason(code="MissingMemberId", needs="the member id")
FINDINGS = (EditFinding(rule="member-id", rule_version=1, owner="registration", reason=HELD),)


def edit_run(number: int = 1, stage: Stage = Stage.DRAFT, findings: tuple[EditFinding, ...] = ()) -> KeptRun:
    return KeptRun(
        number=number,
        stage=stage,
        rules_version="2026.1",
        rules_digest="0" * 64,
        rules_run=21,
        findings=findings,
    )


class Maker(Protocol):
    def __call__(self, identity: UUID, kind: type[Event], **fields: Any) -> Event: ...


def work_examples(made: Maker) -> Iterator[Event]:
    claim = claim_id()
    yield made(
        edit_history_id_of(claim),
        EditHistory.Ran,
        claim_id=claim,
        number=1,
        stage=Stage.DRAFT,
        rules_version="2026.1",
        rules_digest="0" * 64,
        rules_run=21,
        findings=FINDINGS,
    )
    yield made(claim, Claim.EditsRan, edit_run=edit_run(4, Stage.RELEASE, FINDINGS))
    review = contract_review_id_of(claim)
    amounts = {"expected": AMOUNT, "allowed": Money.of("150.00"), "denied": Money.zero(), "shortfall": PART}
    names = {"entity": "NORTH", "payer": "ACME"}
    yield made(review, ContractReview.FoundUnderpaid, claim_id=claim, number=1, **names, **amounts)
    yield made(review, ContractReview.Resolved, claim_id=claim, number=1)
    disclosure = filing_disclosure_id_of(derive("test-call"), claim)
    yield made(disclosure, FilingDisclosure.Given, claim_id=claim, digests=("0" * 64,))
    batch = interchange_id_of("000000001")
    given = {"platform": "northstar", "interchange_id": batch, "claim_ids": (claim,), "digest": "0" * 64}
    yield made(platform_disclosure_id_of(batch), PlatformDisclosure.Given, **given)
    whose = {"claim_id": claim, "encounter_id": derive("test-encounter", 1), "posting": 1, "entity": "NORTH"}
    told = {"platform": "northstar", "theirs": PART, "as_of": date(2026, 3, 31), "message_id": derive("test-report", 1)}
    yield made(platform_balance_id_of(claim), PlatformBalance.Reported, **whose, **told)
    yield made(platform_balance_id_of(claim), PlatformBalance.Compared, number=1, ours=AMOUNT, theirs=PART)
    watch = platform_watch_id_of("northstar")
    yield made(watch, PlatformWatch.Heard, platform="northstar", reports=2)
    overdue = {"silence": Silence.NO_ANSWER, "since": datetime(2026, 3, 2, 9, tzinfo=UTC), "claims_waiting": 12}
    yield made(watch, PlatformWatch.FellSilent, platform="northstar", number=1, **overdue)
    yield made(watch, PlatformWatch.SpokeAgain, platform="northstar")
    yield from _denial_examples(made, denial_id_of(claim, 1))


def _denial_examples(made: Maker, denial: UUID) -> Iterator[Event]:
    yield made(denial, Denial.Opened, facts=FACTS, amount=AMOUNT)
    yield made(denial, Denial.Assigned, owner="user:ann", queue="authorizations", state=DenialState.IN_WORK)
    yield made(
        denial,
        Denial.ActedOn,
        action=DenialAction.APPEALED,
        note="the authorization was on file",
        reference="A1",
        state=DenialState.APPEALED,
    )
    yield made(
        denial,
        Denial.Resettled,
        at_risk=PART,
        recovered=Money.of("150.00"),
        state=DenialState.APPEALED,
        outcome=DenialOutcome.NONE,
    )
    yield made(denial, Denial.WriteOffRequested, amount=PART, reason="the appeal was lost", requested_by="user:ann")
    yield made(denial, Denial.WriteOffTurnedDown, turned_down_by="user:ben", reason="appeal it again")
    yield made(
        denial,
        Denial.WrittenOff,
        change=PART,
        at_risk=Money.zero(),
        recovered=Money.of("150.00"),
        written_off=PART,
        reason="the appeal was lost",
        approved_by="user:ben",
        state=DenialState.CLOSED,
        outcome=DenialOutcome.PARTLY_RECOVERED,
    )
    yield made(denial, Denial.DeadlineNear, clock=DenialClock.APPEAL, deadline=FACTS.appeal_by)
