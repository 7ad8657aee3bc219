"""`throughline check`: says of each invariant whether it holds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated

import psycopg
import typer
from sandbox.commands import CommandFailed
from sandbox.processes import DidNotStart

from throughline.checker.evidence import Evidence, NoEvidence
from throughline.checker.gathering import Gathered, gather
from throughline.checker.reading.streams import NatsUnreadable
from throughline.checker.result import Result
from throughline.checker.servers import servers_running
from throughline.checker.verdicts import verdicts
from throughline.connection import StateOption, state_folder
from throughline.outcome import Exit, Unreachable, ends_with_a_code
from throughline.screen import Column, JsonOption, say, show_json, show_table

WAIT_SECONDS = 15.0
WORDS = {True: "holds", False: "FAILS", None: "skipped"}


@ends_with_a_code
def check(
    state: StateOption = None,
    as_json: JsonOption = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until nothing is under way any more.")
    ] = WAIT_SECONDS,
) -> Exit:
    """Recompute every promise from the raw stores, the streams and the ERP, and say of each whether it holds.

    The checker shares no code with the services. Of a suite that is stopped, the servers are started for the time of
    the check, and stopped again.

    The JSON is an object: `holds`, `settled`, `seconds`, `started`, and `invariants`, each with name, title, holds (true,
    false, or null where it was skipped, which is no failure), value (what was counted) and failures (exact places, at
    most 20, then how many more).

    Exit code: 0 nothing failed, 1 an invariant does not hold, 3 something cannot be read.
    """
    folder = state_folder(state)
    began = time.monotonic()
    try:
        evidence = Evidence.read(folder)
        with servers_running(folder, with_erp=evidence.erp_info is not None) as started:
            gathered = gather(evidence, wait_seconds=0 if started else wait)
        results = list(verdicts(gathered))
    except NoEvidence as missing:
        raise Unreachable(str(missing)) from None
    except (NatsUnreadable, DidNotStart, CommandFailed) as failure:
        raise Unreachable(str(failure)) from None
    except psycopg.Error as failure:
        raise Unreachable(f"a store cannot be read: {type(failure).__name__} {failure}") from None
    holds = all(result.holds is not False for result in results)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        invariants = [result.as_json() for result in results]
        about = {"settled": gathered.is_still, "seconds": seconds, "started": started}
        show_json({"holds": holds, **about, "invariants": invariants})
    else:
        _show(results, gathered, started, seconds)
    return Exit.OK if holds else Exit.REFUSED


def _show(results: Sequence[Result], gathered: Gathered, started: Sequence[str], seconds: float) -> None:
    columns = [Column("invariant"), Column("promise", flexible=True), Column("holds"), Column("counted", flexible=True)]
    rows = [[result.name, result.title, WORDS[result.holds], counted(result.value)] for result in results]
    show_table(columns, rows)
    for result in results:
        if result.failures:
            say(f"{result.name} {result.title}: FAILS", "bold red")
            for failure in result.failures:
                say(f"  {failure}")
    failed = [result.name for result in results if result.holds is False]
    if started:
        say(f"The suite was stopped: {', '.join(started)} ran for the time of the check.")
    if not gathered.is_still:
        say("Work was going on while this was read; run it again when the suite is idle.", "yellow")
    events = sum(store.log.count for store in gathered.world.stores.values())
    verdict = f"Does not hold: {', '.join(failed)}" if failed else "Everything that was looked at holds"
    say(f"{verdict}. {events} events, {seconds:.1f} s.", "bold red" if failed else "bold green")


def counted(value: Mapping[str, object]) -> str:
    """What was counted, in one line; lists and tables are for the JSON."""
    plain = {name: item for name, item in value.items() if not isinstance(item, dict | list)}
    return ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in plain.items())
