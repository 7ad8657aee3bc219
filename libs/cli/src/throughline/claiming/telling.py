"""One claim, and denials, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable

from billing.claims.v1 import claim_work_pb2 as work
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2

from throughline.claiming.history import Happening, edit_run_in_words
from throughline.screen import Column, say, short, show_table
from throughline.wire import amount_text, money_of

_MONEY = ("charge", "paid", "contractual", "denied", "patient", "other", "written_off")
_DECISIONS = (
    Column("remittance"),
    Column("position", right=True),
    Column("date"),
    Column("kind"),
    Column("status"),
    *(Column(name, right=True) for name in _MONEY[:-1]),
)
_DENIALS = (
    Column("denial"),
    Column("payer"),
    Column("control number"),
    Column("category"),
    Column("queue"),
    Column("owner"),
    Column("state"),
    *(Column(name, right=True) for name in ("denied", "at risk", "recovered", "written off")),
    Column("appeal by"),
)
_UNDERPAYMENTS = (
    Column("state"),
    *(Column(name, right=True) for name in ("expected", "allowed", "denied", "shortfall")),
    Column("found"),
)
_HISTORY = (Column("when"), Column("who"), Column("of"), Column("what", flexible=True))
_FACTS = (Column("fact"), Column("value", flexible=True))


def tell_claim(told: claims_pb2.GetClaimResponse, worked: work.GetClaimWorkResponse) -> None:
    """State, money, decisions, denials, underpayments, and the last run of the edits."""
    claim = told.claim
    say(f"Claim {claim.patient_control_number}: {claim.state}", style="bold")
    show_table(_FACTS, [[name, value] for name, value in _facts(claim) if value])
    amounts = [_text(getattr(claim.amounts, name)) for name in _MONEY]
    show_table(
        [Column(name.replace("_", " "), right=True) for name in (*_MONEY, "open")], [[*amounts, _text(claim.open)]]
    )
    if told.adjudications:
        show_table(_DECISIONS, map(_decision, told.adjudications), "Decisions of payers")
    if worked.denials:
        show_table(_DENIALS, map(_denial, worked.denials), "Denials")
    if worked.underpayments:
        show_table(_UNDERPAYMENTS, map(_underpayment, worked.underpayments), "Underpayments")
    if worked.edit_runs:
        say(f"Edits: {edit_run_in_words(worked.edit_runs[-1])}; {len(worked.edit_runs)} runs.")


def _facts(claim: claims_pb2.Claim) -> list[tuple[str, str]]:
    return [
        ("claim id", claim.claim_id),
        ("entity", claim.entity),
        ("payer", f"{claim.payer}, number {claim.sequence or 1} to pay"),
        ("payer's number", claim.payer_control_number),
        ("service from", claim.service_from),
        ("worked by", claim.worked_by),
        ("interchange", claim.interchange_id),
        ("held", "; ".join(claim.hold_reasons)),
        ("rejected", ", ".join(claim.rejection_codes)),
        ("last answer", claim.last_answer),
        ("reported", f"{claim.reported_status} on {claim.reported_on}" if claim.reported_status else ""),
        ("next payer", claim.next_payer),
        ("next claim", claim.next_claim_id),
    ]


def _decision(each: claims_pb2.Adjudication) -> list[str]:
    place = [short(each.remittance_id), str(each.position), each.effective_date, each.kind, each.payer_status]
    return [*place, *(_text(getattr(each.amounts, name)) for name in _MONEY[:-1])]


def _denial(each: work.Denial) -> list[str]:
    what = [short(each.denial_id), each.payer, each.patient_control_number, each.category, each.queue, each.owner]
    state = each.state if each.outcome in ("", "none") else f"{each.state}, {each.outcome}"
    money = map(_text, (each.amount, each.at_risk, each.recovered, each.written_off))
    return [*what, state, *money, each.appeal_by]


def _underpayment(each: work.Underpayment) -> list[str]:
    return [each.state, *map(_text, (each.expected, each.allowed, each.denied, each.shortfall)), each.found_at[:10]]


def tell_history(happenings: Iterable[Happening]) -> None:
    show_table(_HISTORY, ([each.at[:19], each.actor, each.of, each.what] for each in happenings))


def tell_dry_run(run: work.EditRun) -> None:
    say(f"Today: {edit_run_in_words(run)}.", style="green" if not run.findings else "yellow")


def tell_denials(denials: Iterable[work.Denial]) -> None:
    """The list, the nearest appeal limit first."""
    rows = list(map(_denial, denials))
    if not rows:
        say("No denials.")
        return
    show_table(_DENIALS, rows)
    say("`throughline denials show ID` tells more of one.")


def tell_denial(denial: work.Denial, history: Iterable[work.DenialEvent] = ()) -> None:
    """One denial with what was done about it."""
    _tell_heading(denial)
    facts = [
        ("claim", f"{denial.patient_control_number} ({denial.claim_id})"),
        ("decision", f"remittance {denial.remittance_id}, claim {denial.position}"),
        ("reasons", "; ".join(denial.reasons)),
        ("remarks", ", ".join(denial.remark_codes)),
        ("queue", denial.queue),
        ("owner", denial.owner),
        ("denied on", denial.denied_on),
        ("appeal by", denial.appeal_by),
        ("corrected claim by", denial.file_by),
        ("asked to write off", f"{_text(denial.requested)} by {denial.requested_by}" if denial.requested.minor else ""),
    ]
    show_table(_FACTS, [[name, value] for name, value in facts if value])
    rows = [[event.at[:19], event.actor, "", event.what] for event in history]
    if rows:
        show_table(_HISTORY, rows)


def _tell_heading(denial: work.Denial) -> None:
    ended = "" if denial.outcome in ("", "none") else f", {denial.outcome}"
    say(f"{denial.category}: {denial.state}{ended}", style="bold")
    first, at_risk = _text(denial.amount), _text(denial.at_risk)
    recovered, written_off = _text(denial.recovered), _text(denial.written_off)
    say(f"{first} denied = {at_risk} at risk + {recovered} recovered + {written_off} written off")


def _text(amount: common_pb2.Money) -> str:
    return amount_text(money_of(amount))
