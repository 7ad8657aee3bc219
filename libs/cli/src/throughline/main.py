"""The command line: which commands there are, and where each of them lives."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from throughline.deferred import defer

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_show_locals=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"throughline {installed_version('throughline-cli')}")
        raise typer.Exit


@app.callback()
def throughline(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Throughline: from charges to the general ledger, every cent traceable.

    Tables for people; --json on every command for scripts. Exit codes: 0 all is well, 1 a rule or an invariant said no,
    2 wrong usage or unreadable input, 3 something is not reachable.
    """


defer(app, "up", "throughline.stack.commands:up", "Start the suite with its sandbox and leave it running.")
defer(app, "down", "throughline.stack.commands:down", "Stop what `up` started.")
defer(app, "status", "throughline.stack.commands:status", "Show what is running, and how far it has got.")
defer(app, "demo", "throughline.demo.commands:demo", "Run the whole story on real servers and tell it.")
defer(app, "check", "throughline.checker.commands:check", "Say of each invariant whether it holds.")
defer(app, "x12", "throughline.inspection.commands:app", "Read X12 files offline.")
defer(app, "submit", "throughline.submitting.commands:submit", "Send files through the doors that are right for them.")
defer(app, "reprocess", "throughline.rereading.commands:reprocess", "Read kept messages again, and show what differs.")
defer(app, "exceptions", "throughline.operations.exceptions_commands:app", "List and work what waits for a person.")
defer(app, "replay", "throughline.operations.replay_commands:replay", "Tell the history of one aggregate.")
defer(app, "remit", "throughline.remitting.commands:app", "Show remittances, and what stays open with payers.")
defer(app, "claim", "throughline.claiming.claim_commands:app", "Show claims, and prove that they were filed.")
defer(app, "denials", "throughline.claiming.denial_commands:app", "List and work what payers would not pay.")
defer(app, "balance", "throughline.balance.commands:balance", "Say what a patient owes, and why.")
defer(app, "payments", "throughline.paying.payment_commands:app", "Show, post, match and refund what patients paid.")
defer(app, "unapplied", "throughline.paying.payment_commands:unapplied", "List cash that pays nothing yet, and why.")
defer(app, "write-offs", "throughline.paying.write_off_commands:app", "Ask for and decide what patients need not pay.")
defer(app, "transfers", "throughline.paying.transfer_commands:app", "Move cash and shares between patients' accounts.")
defer(app, "plans", "throughline.paying.plan_commands:app", "Agree on, show and end plans of instalments.")
defer(app, "asking", "throughline.paying.asking_commands:app", "Show how patients are asked to pay, step by step.")
defer(app, "overpayments", "throughline.paying.overpayment_commands:app", "Show and decide what payers paid too much.")
defer(app, "statement", "throughline.paying.statement_commands:statement", "Show a statement, as the patient gets it.")
defer(app, "ledger", "throughline.ledger.commands:app", "Show and explain what was booked, and what would be.")
defer(app, "patient", "throughline.identity.commands:app", "Show and decide which patients are one person.")
defer(app, "master-data", "throughline.mastering.commands:app", "Show and change what the deployment knows.")
defer(app, "crosswalk", "throughline.mastering.crosswalk_commands:app", "Test what sources' codes mean to us.")
defer(app, "trace", "throughline.tracing.commands:trace", "Follow money from the ERP's line to the bytes it came from.")
