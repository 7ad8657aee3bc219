"""The history of one claim in words: what happened to it, to its denials and in its edits, by time, without PHI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from billing.claims.v1 import claim_work_pb2 as work
from canonical.money import Money

from throughline.operations.history import HistoryEvent
from throughline.screen import short
from throughline.wire import amount_text

CLAIM, EDITS, DENIAL, CONTRACT = "claim", "edits", "denial", "contract"
_State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened; `of` says to what: the claim, its edits, a denial or its contract."""

    at: str
    actor: str
    of: str
    what: str

    def as_data(self) -> dict[str, object]:
        return asdict(self)


def history_of(
    events: Iterable[HistoryEvent], told: work.GetClaimWorkResponse, denials: Iterable[work.GetDenialResponse]
) -> list[Happening]:
    """Everything by time; what happened at one instant stays in the order in which it was recorded."""
    found = [Happening(event.timestamp, event.actor, CLAIM, _claim_event(event)) for event in events]
    found += [Happening(run.ran_at, "", EDITS, edit_run_in_words(run)) for run in told.edit_runs]
    for denial in denials:
        name = f"{DENIAL} {short(denial.denial.denial_id)}"
        found += [Happening(event.at, event.actor, name, event.what) for event in denial.history]
    found += [each for underpayment in told.underpayments for each in _underpayment(underpayment)]
    return sorted(found, key=lambda each: each.at)


def edit_run_in_words(run: work.EditRun) -> str:
    """What a run said, and by which rules."""
    rules = f"{run.rules_run} rules of version {run.rules_version} ({run.rules_digest[:12]})"
    if not run.findings:
        return f"passed {rules} at {run.stage}"
    return f"held by {rules} at {run.stage}: {'; '.join(finding.reason for finding in run.findings)}"


def _underpayment(each: work.Underpayment) -> Iterator[Happening]:
    expected, shortfall = _amount(each.expected.minor), _amount(each.shortfall.minor)
    yield Happening(
        each.found_at, "", CONTRACT, f"{each.payer} allowed {shortfall} less than the {expected} of its contract"
    )
    if each.resolved_at:
        yield Happening(each.resolved_at, "", CONTRACT, f"the shortfall of {shortfall} is none any more")


def _amount(minor: int) -> str:
    return amount_text(Money(minor))


def _claim_event(event: HistoryEvent) -> str:
    state = event.state
    tell = _TOLD.get(event.topic.removeprefix("claims.claim."))
    return tell(state) if tell and isinstance(state, dict) else event.name


def _drafted(state: _State) -> str:
    content = state["content"]
    return f"drafted: {content['total']} to {content['payer']} in {len(content['lines'])} lines"


def _held(state: _State) -> str:
    return "held: " + "; ".join(f"{each['code']}: {each['needs']}" for each in state["reasons"])


def _submitted(state: _State) -> str:
    platform = state.get("worked_by", "")
    if platform:
        return f"put into batch {short(state['interchange_id'])} to {platform}, which works it with {state['payer']}"
    return f"put into interchange {short(state['interchange_id'])} to {state['payer']}"


def _adjudicated(state: _State) -> str:
    decision, shares = state["decision"], state["shares"]
    went = ", ".join(f"{name} {amount}" for name, amount in shares.items())
    kind = state.get("kind", "decision")
    return f"{kind}: {decision['paid']} paid of {decision['charge']} ({went}); it is {state['state']}"


def _answered(state: _State) -> str:
    answer = state["answer"]
    word = "accepted" if answer["accepted"] else "rejected"
    return f"{word} by {answer['reporter'] or 'a 277CA'}: {', '.join(answer['codes']) or 'no code'}"


def _resubmitted(state: _State) -> str:
    what = "a void" if state["frequency"] == "8" else "a replacement"
    return f"to be sent again as {what} of {state['payer_control_number']}: {state['reason']}"


def _asked(state: _State) -> str:
    if state["way"] == "refused":
        return "the payer could not be asked where it stands"
    return f"the payer was asked where it stands, trace {state['trace']}"


def _written_off(state: _State) -> str:
    return f"{state['amount']} of denials written off, approved by {state['approved_by']}: {state['reason']}"


_TOLD: Mapping[str, Callable[[_State], str]] = {
    "drafted": _drafted,
    "held": _held,
    "made-ready": lambda state: "passed the edits",
    "submitted": _submitted,
    "accepted": lambda state: f"accepted by the payer, its number is {state['payer_control_number'] or 'not told'}",
    "payer-number-learned": lambda state: f"the payer's number is {state['payer_control_number']}",
    "rejected": lambda state: f"rejected before adjudication: {', '.join(state['codes'])}",
    "adjudicated": _adjudicated,
    "answer-noted": _answered,
    "resubmission-intended": _resubmitted,
    "status-asked": _asked,
    "status-reported": lambda state: f"status by the payer: {', '.join(state['status']['category_codes'])}",
    "payment-noted": lambda state: f"noted without money: {state['why']}",
    "reversal-awaited": lambda state: f"a reversal waits for what it takes back: {state['verdict']}",
    "denial-released": lambda state: f"{state['amount']} is denied no more",
    "denial-written-off": _written_off,
}
