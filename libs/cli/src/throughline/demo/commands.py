"""`throughline demo`: the whole story on real servers, in a fresh state folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sandbox.commands import CommandFailed
from sandbox.processes import AlreadyRunning, DidNotStart
from sandbox.suite import Suite

from throughline.checker.running import check_folder
from throughline.connection import StateOption, access_to, state_folder
from throughline.demo.facts import a_remittance_journal
from throughline.demo.report import tell
from throughline.demo.story import Story
from throughline.outcome import Exit, Failure, Refused, ends_with_a_code
from throughline.screen import JsonOption, say, show_json
from throughline.stack.composition import CompositionFailed
from throughline.tracing.calls import GrpcBooks
from throughline.tracing.finding_origins import Origins
from throughline.tracing.following import Selection, TracedJournal, follow
from throughline.tracing.report import trace_report
from throughline.tracing.subjects import Subject, subject_of

SEED = 5
ENCOUNTERS = 320
ENCOUNTERS_MAX = 20_000
TRACED = Selection(account="eft-clearing", parts_max=1)
OURS = ("postgres", "nats", "tokens", "exchange", "services", "ports.json")


class DemoDidNotStart(Failure):
    """A part of the suite did not start; the message names it and its log."""

    exit = Exit.UNREACHABLE


@ends_with_a_code
def demo(
    state: StateOption = None,
    seed: Annotated[int, typer.Option(help="The story depends on this number alone.")] = SEED,
    encounters: Annotated[int, typer.Option(min=40, max=ENCOUNTERS_MAX, help="How many encounters.")] = ENCOUNTERS,
    as_json: JsonOption = False,
) -> Exit:
    """Tell the story of some hundred encounters, from the EHR to the ERP's ledger, and prove every cent of it.

    The state folder is made anew, and kept; nothing is left running. Exit 0 only if every invariant held and nothing is
    unexplained.
    """
    folder = state_folder(state)
    _make_room(folder)
    try:
        story = Story(folder, seed=seed, encounters=encounters, say=_narrator(as_json))
        try:
            told = story.tell()
            results = check_folder(folder)
            subject, journals = _trace(folder)
        finally:
            story.close()
    except (DidNotStart, AlreadyRunning, CommandFailed, CompositionFailed) as failure:
        raise DemoDidNotStart(str(failure)) from None
    holds = not told.facts.unexplained and told.facts.agrees_with_oracle
    holds = holds and all(result.holds is not False for result in results)
    adds_up = all(journal.adds_up for journal in journals)
    if as_json:
        show_json(
            {
                "holds": holds and adds_up,
                "invariants": [result.as_json() for result in results],
                "facts": told.facts.as_data(),
                "trace": trace_report(subject.title, subject, journals),
                "seconds": told.seconds,
            }
        )
    else:
        tell(told, results, subject, journals, str(folder))
    if not (holds and adds_up):
        raise Refused("an invariant does not hold, or a residual is unexplained", "DemoDoesNotAddUp")
    return Exit.OK


def _make_room(folder: Path) -> None:
    """Stops what still runs there and forgets the last demo.

    Raises:
        Refused: the folder holds something that is not a suite's.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not any((folder / name).exists() for name in OURS):
        raise Refused(f"{folder} holds something that is not a suite's; choose another --state", "NotOurFolder")
    Suite(folder).stop()
    shutil.rmtree(folder)


def _narrator(as_json: bool) -> Callable[[str], None]:
    """Chapters as they begin; on standard error where standard output is data."""
    if as_json:
        return lambda text: typer.echo(text, err=True)
    return lambda text: say(f"… {text}", "dim")


def _trace(folder: Path) -> tuple[Subject, list[TracedJournal]]:
    """One remittance's journal, followed from the ERP to the bytes."""
    with access_to(folder) as access:
        books = GrpcBooks(access)
        subject = subject_of(books, a_remittance_journal(access))
        return subject, [follow(books, journal, TRACED, Origins(books)) for journal, _ in subject.entries]
