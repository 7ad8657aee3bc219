"""`throughline replay`: the events of one aggregate, one by one."""

from __future__ import annotations

from typing import Annotated

import typer

from throughline.connection import StateOption, access_to, service_named
from throughline.operations.calls import Operations
from throughline.operations.history import LINES_OF_AN_EVENT_MAX, History, HistoryEvent, lines_of
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import JsonOption, say, short, show_json
from throughline.wire import identity_in

_EVERYTHING = 1_000_000


@ends_with_a_code
def replay(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="intake, claims, payments, ledger, reconciliation.")
    ],
    aggregate_id: Annotated[str, typer.Argument(metavar="ID", help="The aggregate's id.")],
    full: Annotated[bool, typer.Option("--full", help="Every field of every event.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Tell the history of one aggregate from its stored events, oldest first; what is sealed stays sealed.

    The JSON has service, aggregate_id, aggregate_type and events: version, topic, timestamp, actor, causation_id,
    correlation_id, source_system, source_reference and state (the event's own fields).

    Exit code: 1 where nothing has this id.
    """
    where, identity = service_named(service), identity_in(aggregate_id, "the id of an aggregate")
    with access_to(state) as access:
        history = Operations(access).history(where, identity)
    if as_json:
        show_json(history.as_data())
    else:
        _tell(history, _EVERYTHING if full else LINES_OF_AN_EVENT_MAX)
    return Exit.OK


def _tell(history: History, lines_max: int) -> None:
    count = len(history.events)
    say(f"{history.aggregate_type} {history.aggregate_id} at {history.service}", style="bold")
    say(f"{count} event{'' if count == 1 else 's'}")
    for event in history.events:
        _tell_event(event, lines_max)


def _tell_event(event: HistoryEvent, lines_max: int) -> None:
    say()
    say(f"{event.version}  {event.name}", style="bold")
    cause = f"answering {short(event.causation_id)}" if event.causation_id else ""
    source = " ".join(filter(None, (event.source_system, event.source_reference)))
    said = (event.timestamp, f"by {event.actor}" if event.actor else "", cause, f"from {source}" if source else "")
    say(f"   {', '.join(filter(None, said))}")
    lines = list(lines_of(event.state, lines_max))
    width = max((len(path) for path, _ in lines), default=0)
    for path, value in lines:
        say(f"   {path.ljust(width)}  {value}")
