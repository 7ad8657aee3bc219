"""`throughline up`, `down` and `status`: the local suite, started, stopped, seen at a glance."""

from __future__ import annotations

import time

from sandbox.commands import CommandFailed
from sandbox.processes import AlreadyRunning, DidNotStart
from sandbox.status import State
from sandbox.suite import Suite

from throughline.connection import StateOption, state_folder
from throughline.outcome import Exit, Failure, ends_with_a_code
from throughline.screen import Column, JsonOption, say, show_json, show_table
from throughline.stack.composition import CompositionFailed, Stack
from throughline.stack.standing_world import standing_world


class DidNotComeUp(Failure):
    """A part of the suite did not start; the message names it and its log."""

    exit = Exit.UNREACHABLE


@ends_with_a_code
def up(state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Start servers, services, gateway and the simulated world, and leave them running."""
    folder = state_folder(state)
    began = time.monotonic()
    stack = Stack(folder, detached=True)
    try:
        stack.start()
        stack.suite.start_services(standing_world(stack))
    except (DidNotStart, AlreadyRunning, CommandFailed, CompositionFailed) as failure:
        raise DidNotComeUp(str(failure)) from None
    seconds = time.monotonic() - began
    if as_json:
        show_json({"state": str(folder), "seconds": round(seconds, 1), "client": str(folder / "client.json")})
        return Exit.OK
    _show_status(stack.suite)
    say(f"\nRunning after {seconds:.1f} s. Where everything is: {folder / 'client.json'}", "bold")
    say("Try: throughline submit FILE...   throughline exceptions list   throughline check   throughline down")
    return Exit.OK


@ends_with_a_code
def down(state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Stop everything that runs in the state folder; its data stays."""
    stopped = Suite(state_folder(state)).stop()
    if as_json:
        show_json({"stopped": stopped})
    else:
        say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")
    return Exit.OK


@ends_with_a_code
def status(state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Show what runs in the state folder; 3 where a part that was started is not healthy."""
    suite = Suite(state_folder(state))
    rows = suite.status()
    healthy = bool(rows) and all(row.state is State.HEALTHY for row in rows)
    if as_json:
        found = [{"name": r.name, "state": r.state.value, "pid": r.pid, "address": r.address} for r in rows]
        show_json({"healthy": healthy, "processes": found})
    elif rows:
        _show_status(suite)
    else:
        say("Nothing has been started here.")
    return Exit.OK if healthy else Exit.UNREACHABLE


def _show_status(suite: Suite) -> None:
    columns = [Column("process"), Column("state"), Column("pid", right=True), Column("address", flexible=True)]
    rows = [[row.name, row.state.value, str(row.pid or ""), row.address] for row in suite.status()]
    show_table(columns, rows)
