"""`throughline claim`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throughline.claiming.calls import ClaimArgument, claiming_at
from throughline.claiming.history import history_of
from throughline.claiming.packet import PacketFolder
from throughline.claiming.sending_commands import coverage, replace, void
from throughline.claiming.telling import tell_claim, tell_dry_run, tell_history
from throughline.connection import StateOption
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import JsonOption, say, show_json, warn
from throughline.wire import data_of

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def claim() -> None:
    """Claims: where they stand, what happened to them, and the proof that they were filed."""


@app.command()
@ends_with_a_code
def show(claim_id: ClaimArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Show one claim: state, money, decisions, denials, underpayments and edits. Nobody is named.

    The JSON has claim, adjudications, other_payers, matched_payments, edit_runs, denials and underpayments.

    Exit code: 1 where there is none.
    """
    with claiming_at(state) as claiming:
        identity = claiming.claim_id(claim_id)
        told, worked = claiming.claim(identity), claiming.work_on(identity)
    if as_json:
        show_json(data_of(told) | data_of(worked))
    else:
        tell_claim(told, worked)
    return Exit.OK


@app.command()
@ends_with_a_code
def history(claim_id: ClaimArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Tell what happened to a claim, to its denials and in its edits, by time. Nobody is named.

    The JSON has claim_id and events: at, actor, of and what.

    Exit code: 1 where there is none.
    """
    with claiming_at(state) as claiming:
        identity = claiming.claim_id(claim_id)
        worked = claiming.work_on(identity)
        denials = [claiming.denial(each.denial_id) for each in worked.denials]
        happenings = history_of(claiming.events(identity), worked, denials)
    if as_json:
        show_json({"claim_id": identity, "events": [each.as_data() for each in happenings]})
    else:
        tell_history(happenings)
    return Exit.OK


@app.command()
@ends_with_a_code
def edit(
    claim_id: ClaimArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the edits would say; nothing changes.")] = False,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A rule file that would change the rules in force.")
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Run the edits on a claim as they stand today, only to see what they say. The JSON is the run.

    Exit code: 1 where the claim would be held.
    """
    if not dry_run:
        raise Unusable("only --dry-run is offered: claims are edited when they are drafted, released and sent")
    with claiming_at(state) as claiming:
        run = claiming.dry_run(claiming.claim_id(claim_id), _text_of(rules))
    if as_json:
        show_json(data_of(run))
    else:
        tell_dry_run(run)
    return Exit.REFUSED if run.findings else Exit.OK


@app.command()
@ends_with_a_code
def packet(
    claim_id: ClaimArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go; only you will be able to read them.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Write the proof of a claim's filing: the 837s as they were sent, the answers, and manifest.json. They hold PHI.

    It needs the scope claims.raw.read, and intake.raw.read for the bytes of the answers: THROUGHLINE_CLIENT_ID and
    THROUGHLINE_CLIENT_SECRET name another client than the suite's operator. Who asked is recorded.

    The JSON has claim_id, folder, files and missing.

    Exit code: 1 where something that was sent is missing.
    """
    with claiming_at(state) as claiming:
        identity = claiming.claim_id(claim_id)
        written = PacketFolder(out, claiming.raw_answer).write(claiming.packet(identity))
    if as_json:
        facts = {"claim_id": identity, "folder": str(out), "files": written.files, "missing": written.missing}
        show_json(facts)
    else:
        say(f"{len(written.files)} files in {out}: {', '.join(written.files)}")
    for what in written.missing:
        warn(what)
    return Exit.REFUSED if written.missing else Exit.OK


for command in (replace, void, coverage):
    app.command()(command)


def _text_of(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} cannot be read: {type(error).__name__}") from None
