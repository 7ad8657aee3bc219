"""`throughline exceptions ...`: the queue of what waits for a person, over all services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from throughline.connection import SERVICES, Service, StateOption, access_to, service_named
from throughline.operations.calls import Operations
from throughline.operations.cases import CASES_MAX, WAITING, Case, Gathered, Wanted, age, find, gather
from throughline.outcome import Exit, Refused, ends_with_a_code
from throughline.screen import Column, JsonOption, say, short, show_json, show_table, warn
from throughline.wire import amount_text

LIMIT = 100
_COLUMNS = (
    Column("id"),
    Column("age", right=True),
    Column("due"),
    Column("service"),
    Column("code"),
    Column("entity"),
    Column("amount", right=True),
    Column("what happened", flexible=True),
)

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
CaseArgument = Annotated[str, typer.Argument(metavar="ID", help="The exception's id, or the first characters of it.")]
ServiceOption = Annotated[str, typer.Option("--service", help=f"Only this service: {', '.join(SERVICES)}.")]


@app.callback()
def exceptions() -> None:
    """What was accepted and could not be done, and waits for a person."""


@app.command("list")
@ends_with_a_code
def list_cases(
    service: ServiceOption = "",
    code: Annotated[str, typer.Option(help="Only this code, the name of the broken rule.")] = "",
    owner: Annotated[str, typer.Option(help="Only those that this person or team works.")] = "",
    ended: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=CASES_MAX, help="At most so many.")] = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List the exceptions of all services, the newest first.

    The JSON is an object with the lists `cases` (service, case_id, state, code, summary, subject, subject_id,
    message_id, entity, amount, owner, reason, actor, raised_at, ended_at, means, evidence, actions, due_on,
    needs_second_person, dismissal_by, dismissal_reason) and `unreachable` (service, message).

    Exit code: 0 all services answered, 3 some did not; what the others have is shown.
    """
    with _desk(state) as desk:
        found = gather(desk, _services(service), ("",) if ended else WAITING, Wanted("", code, owner, limit))
    if as_json:
        down = [{"service": name, "message": message} for name, message in found.unreachable]
        show_json({"cases": [case.as_data() for case in found.cases], "unreachable": down})
    else:
        _show_list(found, with_state=ended)
    return Exit.UNREACHABLE if found.unreachable else Exit.OK


@app.command()
@ends_with_a_code
def show(
    case_id: CaseArgument, service: ServiceOption = "", state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Show one exception: what happened, why it waits, its evidence, and what may be done by whom. The JSON has `case`."""
    with _desk(state) as desk:
        _show(find(desk, _services(service), case_id), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def retry(
    case_id: CaseArgument,
    reason: Annotated[str, typer.Option(help="Why now, without names of patients.")] = "the cause has been mended",
    service: ServiceOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Handle the message of an exception again; exit code 1 where the rule still says no."""
    with _desk(state) as desk:
        case = find(desk, _services(service), case_id)
        _show(desk.retry(case.service, case.case_id, reason), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def assign(
    case_id: CaseArgument,
    owner: Annotated[str, typer.Option(help="Who works it, a person or a team; yourself where it is left out.")] = "",
    service: ServiceOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say who works an exception; a dismissal that was proposed is off."""
    with _desk(state) as desk:
        case = _waiting(desk, service, case_id)
        _show(desk.assign(case.service, case.case_id, owner), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def dismiss(
    case_id: CaseArgument,
    reason: Annotated[
        str, typer.Option(help="Why nothing needs to be done; it is kept for ever. No names of patients.")
    ],
    service: ServiceOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """End an exception without doing anything; where money is left, propose it, or agree to what another has proposed."""
    with _desk(state) as desk:
        case = _waiting(desk, service, case_id)
        _show(desk.dismiss(case.service, case.case_id, reason), as_json)
    return Exit.OK


@contextmanager
def _desk(state: Path | None) -> Iterator[Operations]:
    with access_to(state) as access:
        yield Operations(access)


def _waiting(desk: Operations, service: str, case_id: str) -> Case:
    case = find(desk, _services(service), case_id)
    if not case.waits:
        raise Refused(f"exception {case.case_id} has ended: it is {case.state}", "CaseIsClosed")
    return case


def _services(name: str) -> tuple[Service, ...]:
    return (service_named(name),) if name else SERVICES


def _show_list(found: Gathered, *, with_state: bool) -> None:
    for service, message in found.unreachable:
        warn(f"{service} is missing from this list: {message}")
    if not found.cases:
        say("Nothing waits for a person." if not with_state else "No exceptions.")
        return
    now = datetime.now(UTC)
    columns = [*_COLUMNS, Column("state")] if with_state else _COLUMNS
    show_table(columns, ([*_row(case, now), case.state] if with_state else _row(case, now) for case in found.cases))
    say("`throughline exceptions show ID` tells more of one.")


def _row(case: Case, now: datetime) -> list[str]:
    facts = [short(case.case_id), age(case.raised_at, now), case.due_on, case.service, case.code, case.entity]
    return [*facts, amount_text(case.amount), case.summary]


def _show(case: Case, as_json: bool) -> None:
    if as_json:
        show_json({"case": case.as_data()})
        return
    say(f"{case.code}, {case.state}", style="bold")
    say(case.summary)
    if case.means:
        say(case.means)
    facts = case.as_data() | {"amount": amount_text(case.amount), "age": age(case.raised_at, datetime.now(UTC))}
    shown = (
        "case_id",
        "service",
        "entity",
        "amount",
        "subject",
        "subject_id",
        "message_id",
        "raised_at",
        "age",
        "due_on",
    )
    later = ("owner", "dismissal_by", "dismissal_reason", "reason", "actor", "ended_at")
    rows = [[name.replace("_", " "), str(facts[name])] for name in (*shown, *later) if facts[name]]
    show_table([Column("fact"), Column("value", flexible=True)], rows)
    _show_ways(case)


def _show_ways(case: Case) -> None:
    """Where its evidence is, and what may be done: each command whole, so that it can be copied."""
    if case.dismissal_by and case.waits:
        say(f"{case.dismissal_by} proposed to dismiss it; another person has to agree.")
    history = [f"throughline replay {case.service} {case.subject_id}"] if case.subject_id else []
    for command in (*case.evidence, *history):
        say(f"Evidence: {command}")
    for action in case.actions:
        say(f"{action.does} ({action.scope})")
        say(f"    {action.command}")
