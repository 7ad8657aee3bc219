"""`throughline demo`: the whole story on real servers, in a fresh state folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from sandbox.commands import CommandFailed
from sandbox.processes import AlreadyRunning, DidNotStart
from sandbox.suite import Suite

from throughline.checker.running import check_folder
from throughline.connection import Access, StateOption, read_connection, state_folder
from throughline.demo.facts import any_journal_line
from throughline.demo.report import tell
from throughline.demo.story import Story
from throughline.outcome import Exit, Failure, Refused, ends_with_a_code
from throughline.screen import JsonOption, say, show_json
from throughline.stack.composition import CompositionFailed

SEED = 5
ENCOUNTERS = 320
ENCOUNTERS_MAX = 20_000


class DemoDidNotStart(Failure):
    """A part of the suite did not start; the message names it and its log."""

    exit = Exit.UNREACHABLE


@ends_with_a_code
def demo(
    state: StateOption = None,
    seed: Annotated[int, typer.Option(help="The story depends on this number alone.")] = SEED,
    encounters: Annotated[int, typer.Option(min=40, max=ENCOUNTERS_MAX, help="How many encounters.")] = ENCOUNTERS,
    keep_running: Annotated[bool, typer.Option(help="Leave the suite running until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> Exit:
    """Tell the story of some hundred encounters, from the EHR to the ERP's ledger, and prove every cent of it.

    The state folder is made anew. Exit 0 only if every invariant held and nothing is unexplained.
    """
    folder = state_folder(state)
    _make_room(folder)
    story = Story(folder, seed=seed, encounters=encounters, say=_narrate(as_json))
    try:
        told = story.tell()
        results = check_folder(folder)
        trace = _trace(folder)
        if as_json:
            show_json(
                {
                    "holds": all(result.holds is not False for result in results),
                    "invariants": [result.as_json() for result in results],
                    "seconds": told.seconds,
                    "facts": told.facts.as_data(),
                    "trace": trace,
                }
            )
        else:
            tell(told, results, trace, str(folder))
            if keep_running:
                typer.pause("Running. Press a key to stop.")
    except (DidNotStart, AlreadyRunning, CommandFailed, CompositionFailed) as failure:
        raise DemoDidNotStart(str(failure)) from None
    finally:
        story.close()
    if told.facts.unexplained or any(result.holds is False for result in results):
        raise Refused("an invariant does not hold, or a residual is unexplained", "DemoDoesNotAddUp")
    return Exit.OK


def _make_room(folder: Path) -> None:
    """Stops what still runs there and forgets the last demo; a folder that is not a suite's is left alone."""
    if folder.exists():
        known = {"postgres", "nats", "tokens", "exchange", "services", "ports.json"}
        strangers = {path.name for path in folder.iterdir()} and not any((folder / name).exists() for name in known)
        if strangers:
            raise Refused(f"{folder} holds something that is not a suite's", "NotOurFolder")
        Suite(folder).stop()
        shutil.rmtree(folder)


def _narrate(as_json: bool):  # type: ignore[no-untyped-def]
    def speak(text: str) -> None:
        if as_json:
            typer.echo(text, err=True)
        else:
            say(f"… {text}", "dim")

    return speak


def _trace(folder: Path) -> str:
    """The trace of one journal, as text."""
    access = Access(read_connection(folder))
    try:
        number = any_journal_line(access)
        return trace_text(access, number) if number else ""
    finally:
        access.close()
