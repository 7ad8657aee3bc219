"""`throughline ledger`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from billing.ledger.v1 import ledger_desk_pb2 as desk
from billing.ledger.v1 import ledger_pb2 as pb

from throughline.connection import StateOption, state_folder
from throughline.ledger.calls import books
from throughline.ledger.replaying import replayed, tell_replay
from throughline.ledger.telling import (
    agrees,
    tell_balances,
    tell_comparison,
    tell_dry_run,
    tell_explanation,
    tell_journals,
    tell_late,
    tell_periods,
    tell_presented,
)
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.paying.calls import EntityOption, show
from throughline.screen import JsonOption, show_json

JOURNALS_MAX = 1000
FACT_BYTES_MAX = 1_000_000
JournalArgument = Annotated[str, typer.Argument(metavar="JOURNAL", help="Its id, or our number at the ERP.")]
NeededEntity = Annotated[str, typer.Option("--entity", help="The legal entity.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def ledger() -> None:
    """What was booked, why, what would be, and whether the ERP says the same."""


@app.command()
@ends_with_a_code
def journals(
    entity: EntityOption = "",
    in_state: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="STATE",
            help="intended, probed, posted, uncertain, rejected, held-for-period, differs or confirmed; may be repeated.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=JOURNALS_MAX, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List journal entries, the oldest first, with why they wait where they do. The JSON has `journals`."""
    request = pb.ListJournalsRequest(entity=entity, states=in_state or (), limit=limit)
    with books(state) as ours:
        show(ours.ask(ours.ledger.ListJournals, request), tell_journals, as_json)
    return Exit.OK


@app.command("trial-balance")
@ends_with_a_code
def trial_balance(
    entity: EntityOption = "",
    with_erp: Annotated[
        bool, typer.Option("--with-erp", help="Beside what the ERP says now, also by dimension; needs --entity.")
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show balances by account and party: booked here, in journal entries, confirmed by the ERP.

    With `--with-erp` it is confirmed balances beside the ERP's own, and the exit code is 1 where they differ.
    """
    if with_erp and not entity:
        raise Unusable("--with-erp: name the --entity")
    with books(state) as ours:
        if not with_erp:
            told = ours.ask(ours.ledger.TrialBalance, pb.TrialBalanceRequest(entity=entity))
            show(told, tell_balances, as_json)
            return Exit.OK
        compared = ours.ask(ours.desk.CompareBalances, desk.CompareBalancesRequest(entity=entity))
        show(compared, tell_comparison, as_json)
    return Exit.OK if agrees(compared) else Exit.REFUSED


@app.command()
@ends_with_a_code
def periods(
    entity: EntityOption = "",
    late: Annotated[
        bool, typer.Option("--late", help="Entries booked in a later period than their own; needs --entity.")
    ] = False,
    booked_from: Annotated[str, typer.Option("--from", metavar="DAY", help="With --late: booked from this day.")] = "",
    booked_until: Annotated[
        str, typer.Option("--until", metavar="DAY", help="With --late: booked until this day.")
    ] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show the fiscal periods as the ERPs told them last, or with `--late` the prior-period report of an entity."""
    if late and not entity:
        raise Unusable("--late: name the --entity")
    with books(state) as ours:
        if late:
            request = desk.ListLateJournalsRequest(entity=entity, booked_from=booked_from, booked_until=booked_until)
            show(ours.ask(ours.desk.ListLateJournals, request), tell_late, as_json)
        else:
            show(ours.ask(ours.desk.ListPeriods, desk.ListPeriodsRequest(entity=entity)), tell_periods, as_json)
    return Exit.OK


@app.command("dry-run")
@ends_with_a_code
def dry_run(
    journal: Annotated[
        str, typer.Argument(metavar="[JOURNAL]", help="A stored entry: its id, or our number at the ERP.")
    ] = "",
    fact: Annotated[
        Path | None, typer.Option(help="A public event's data as JSON, instead of an entry; - reads standard input.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--type", metavar="SERVICE/TYPE", help="Such as payments/patient-payment-succeeded.")
    ] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show what a fact would book, or what sending an entry would send; nothing is booked or sent.

    The exit code is 1 where a rule refuses the fact or a closed period would hold its entry.
    """
    if bool(journal) == (fact is not None):
        raise Unusable("name either a JOURNAL or a --fact")
    request = desk.DryRunRequest(journal=journal)
    if fact is not None:
        service, _, event_type = kind.partition("/")
        if not event_type:
            raise Unusable("--type: such as payments/patient-payment-succeeded")
        request = desk.DryRunRequest(service=service, type=event_type, fact=_content(fact))
    with books(state) as ours:
        told = ours.ask(ours.desk.DryRun, request)
        show(told, tell_dry_run, as_json)
    return Exit.REFUSED if told.refusal or any(each.held for each in told.journals) else Exit.OK


@app.command()
@ends_with_a_code
def explain(journal: JournalArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Explain one journal entry to an accountant: every line with its rules, its facts, and how to trace them."""
    with books(state) as ours:
        told = ours.ask(ours.desk.ExplainJournal, desk.ExplainJournalRequest(journal=journal))
        show(told, tell_explanation, as_json)
    return Exit.OK


@app.command("present-credits")
@ends_with_a_code
def present_credits(
    entity: NeededEntity,
    period: Annotated[
        str, typer.Option(help="The ERP's name of the period, or a month such as 2026-03 where it tells no periods.")
    ],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show credit balances of receivables as owed at the end of a period, and take that back on the day after.

    Two journal entries, once per entity and period; asked again, nothing changes and what stands is told.
    """
    with books(state) as ours:
        request = desk.PresentCreditBalancesRequest(entity=entity, period=period)
        show(ours.ask(ours.desk.PresentCreditBalances, request), tell_presented, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def replay(
    entity: EntityOption = "",
    site_rules: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Rules of a site to replay by, like site-rules.sample.json."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Run every fact of the streams through the posting rules once more, and compare with what is booked.

    It works on copies in memory: nothing is posted and nothing is written. The same rules give the same hash over all
    journals; of others it shows the exact difference by entity, account, party and dimensions, and by journal entry.

    Exit code: 0 the same, 1 a difference, 3 something cannot be read, such as a stream that dropped its oldest messages.
    """
    told = replayed(state_folder(state), entity, site_rules)
    if as_json:
        show_json(told)
    else:
        tell_replay(told)
    return Exit.OK if told["same"] else Exit.REFUSED


def _content(path: Path) -> str:
    try:
        content = sys.stdin.read(FACT_BYTES_MAX + 1) if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise Unusable(f"--fact: {type(wrong).__name__}") from None
    if len(content.encode()) > FACT_BYTES_MAX:
        raise Unusable(f"--fact: more than {FACT_BYTES_MAX} bytes")
    return content
