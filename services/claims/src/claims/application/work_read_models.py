"""The tables of people's work on claims, and how each stored event changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Change, Table, put

from claims.domain.claim import Claim
from claims.domain.contract_review import ContractReview
from claims.domain.denial import Denial
from claims.domain.denial_facts import DenialClock, DenialOutcome, DenialState
from claims.domain.rules.edit_history import EditHistory, KeptRun

OPEN_STATES = tuple(state.value for state in DenialState if state is not DenialState.CLOSED)

EDIT_RUNS = Table(
    "edit_runs",
    {
        "claim_id": "uuid",
        "number": "integer",
        "stage": "text",
        "rules_version": "text",
        "rules_digest": "text",
        "rules_run": "integer",
        "findings": "text",
        "ran_at": "timestamptz",
    },
    key=("claim_id", "number"),
)
"""One row a run of the edits. `findings` holds one a line: rule, version, owner and reason."""

DENIALS = Table(
    "denials",
    {
        "denial_id": "uuid",
        "claim_id": "uuid",
        "number": "integer",
        "patient_control_number": "text",
        "entity": "text",
        "payer": "text",
        "remittance_id": "uuid",
        "position": "integer",
        "reasons": "text",
        "remark_codes": "text",
        "category": "text",
        "queue": "text",
        "owner": "text",
        "state": "text",
        "outcome": "text",
        "amount_minor": "bigint",
        "at_risk_minor": "bigint",
        "recovered_minor": "bigint",
        "written_off_minor": "bigint",
        "requested_minor": "bigint",
        "requested_by": "text",
        "denied_on": "date",
        "appeal_by": "date",
        "appeal_by_warned": "boolean",
        "file_by": "date",
        "file_by_warned": "boolean",
        "opened_at": "timestamptz",
        "changed_at": "timestamptz",
    },
    key=("denial_id",),
    indexes=(("claim_id",), ("state", "queue"), ("owner",), ("appeal_by",), ("file_by",)),
)
"""One row a denial: `amount == at_risk + recovered + written_off`. `reasons` and `remark_codes` hold one a line."""

UNDERPAYMENTS = Table(
    "underpayments",
    {
        "claim_id": "uuid",
        "number": "integer",
        "state": "text",
        "entity": "text",
        "payer": "text",
        "expected_minor": "bigint",
        "allowed_minor": "bigint",
        "denied_minor": "bigint",
        "shortfall_minor": "bigint",
        "found_at": "timestamptz",
        "resolved_at": "timestamptz",
    },
    key=("claim_id", "number"),
    indexes=(("state", "payer"),),
)

WORK_TABLES = (EDIT_RUNS, DENIALS, UNDERPAYMENTS)


def project_work(event: Event) -> Iterable[Change]:
    """The rows that a stored event changes."""
    projecting = _PROJECTING.get(type(event))
    return () if projecting is None else projecting(event)


def _edited(event: Claim.Held | Claim.MadeReady | Claim.EditsRan | Claim.Submitted) -> Iterator[Change]:
    if event.edit_run is not None:
        yield _edit_run(event, event.originator_id, event.edit_run)


def _ran(event: EditHistory.Ran) -> Iterator[Change]:
    yield _edit_run(event, event.claim_id, event)


def _edit_run(event: Event, claim_id: UUID, run: KeptRun | EditHistory.Ran) -> Change:
    return put(
        EDIT_RUNS,
        claim_id=claim_id,
        number=run.number,
        stage=run.stage.value,
        rules_version=run.rules_version,
        rules_digest=run.rules_digest,
        rules_run=run.rules_run,
        findings="\n".join(f"{each.rule} {each.rule_version} {each.owner} {each.reason}" for each in run.findings),
        ran_at=event.timestamp,
    )


def _opened(event: Denial.Opened) -> Iterator[Change]:
    facts = event.facts
    yield put(
        DENIALS,
        denial_id=event.originator_id,
        claim_id=facts.claim_id,
        number=facts.number,
        patient_control_number=facts.patient_control_number,
        entity=facts.entity,
        payer=facts.payer,
        remittance_id=facts.remittance_id,
        position=facts.position,
        reasons="\n".join(map(str, facts.reasons)),
        remark_codes="\n".join(facts.remark_codes),
        category=facts.category.value,
        queue=facts.queue,
        owner="",
        state=DenialState.OPEN.value,
        outcome=DenialOutcome.NONE.value,
        amount_minor=event.amount.minor,
        at_risk_minor=event.amount.minor,
        recovered_minor=0,
        written_off_minor=0,
        requested_minor=0,
        requested_by="",
        denied_on=facts.denied_on,
        appeal_by=facts.appeal_by,
        appeal_by_warned=False,
        file_by=facts.file_by,
        file_by_warned=facts.file_by is None,
        opened_at=event.timestamp,
        changed_at=event.timestamp,
    )


def _denial(event: Event, **columns: object) -> Change:
    return put(DENIALS, denial_id=event.originator_id, changed_at=event.timestamp, **columns)


def _request_over(state: DenialState) -> dict[str, object]:
    return {} if state is DenialState.AWAITING_APPROVAL else {"requested_minor": 0, "requested_by": ""}


def _resettled(event: Denial.Resettled) -> Iterator[Change]:
    outcome = event.outcome.value
    amounts = {"at_risk_minor": event.at_risk.minor, "recovered_minor": event.recovered.minor}
    yield _denial(event, state=event.state.value, outcome=outcome, **amounts, **_request_over(event.state))


def _assigned(event: Denial.Assigned) -> Iterator[Change]:
    yield _denial(event, owner=event.owner, queue=event.queue, state=event.state.value)


def _acted_on(event: Denial.ActedOn) -> Iterator[Change]:
    yield _denial(event, state=event.state.value)


def _requested(event: Denial.WriteOffRequested) -> Iterator[Change]:
    asked = {"requested_minor": event.amount.minor, "requested_by": event.requested_by}
    yield _denial(event, state=DenialState.AWAITING_APPROVAL.value, **asked)


def _turned_down(event: Denial.WriteOffTurnedDown) -> Iterator[Change]:
    yield _denial(event, state=DenialState.IN_WORK.value, **_request_over(DenialState.IN_WORK))


def _written_off(event: Denial.WrittenOff) -> Iterator[Change]:
    amounts = {
        "at_risk_minor": event.at_risk.minor,
        "recovered_minor": event.recovered.minor,
        "written_off_minor": event.written_off.minor,
    }
    outcome = event.outcome.value
    yield _denial(event, state=event.state.value, outcome=outcome, **amounts, **_request_over(event.state))


def _deadline_near(event: Denial.DeadlineNear) -> Iterator[Change]:
    column = "appeal_by_warned" if event.clock is DenialClock.APPEAL else "file_by_warned"
    yield _denial(event, **{column: True})


def _found_underpaid(event: ContractReview.FoundUnderpaid) -> Iterator[Change]:
    yield put(
        UNDERPAYMENTS,
        claim_id=event.claim_id,
        number=event.number,
        state="open",
        entity=event.entity,
        payer=event.payer,
        expected_minor=event.expected.minor,
        allowed_minor=event.allowed.minor,
        denied_minor=event.denied.minor,
        shortfall_minor=event.shortfall.minor,
        found_at=event.timestamp,
    )


def _resolved(event: ContractReview.Resolved) -> Iterator[Change]:
    key = {"claim_id": event.claim_id, "number": event.number}
    yield put(UNDERPAYMENTS, **key, state="resolved", resolved_at=event.timestamp)


_PROJECTING: dict[type[Event], Callable[[Any], Iterator[Change]]] = {
    Claim.Held: _edited,
    Claim.MadeReady: _edited,
    Claim.EditsRan: _edited,
    Claim.Submitted: _edited,
    EditHistory.Ran: _ran,
    Denial.Opened: _opened,
    Denial.Resettled: _resettled,
    Denial.Assigned: _assigned,
    Denial.ActedOn: _acted_on,
    Denial.WriteOffRequested: _requested,
    Denial.WriteOffTurnedDown: _turned_down,
    Denial.WrittenOff: _written_off,
    Denial.DeadlineNear: _deadline_near,
    ContractReview.FoundUnderpaid: _found_underpaid,
    ContractReview.Resolved: _resolved,
}
