"""`throughline reprocess`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from billing.intake.v1 import intake_reading_pb2 as pb
from billing.intake.v1 import intake_reading_pb2_grpc

from throughline.connection import Access, StateOption, access_to
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import JsonOption, say, show_json
from throughline.wire import data_of, identity_in

MESSAGES_PER_CALL = 50
CALLS_MAX = 20_000
CALL_SECONDS = 120.0


@ends_with_a_code
def reprocess(
    messages: Annotated[
        list[str] | None, typer.Option("--message", metavar="ID", help="A message; may be given several times.")
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="T", help="Every message received from then on: 2026-03-01 or 2026-03-01T08:00:00Z.")
    ] = "",
    reader: Annotated[
        str, typer.Option(metavar="PROFILE", help="Read HL7 v2 by this site profile instead of today's.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would differ.")] = False,
    position: Annotated[int, typer.Option(min=0, help="Go on where a run before was stopped.")] = 0,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Read kept messages again, as they would be read today, and take what differs as new events.

    What a newer message says stands; what is read as before changes nothing, so that a run may be repeated and gone on with.
    Every reading is recorded. Of files of payers (X12), what was never taken is taken; what was announced is not announced
    again, and what differs becomes a case.

    The JSON is an object with the list `messages` (message_id, before, after, differences, findings, notes, unreadable)
    and next_position.

    Exit code: 1 where a message would be refused now or cannot be read, else 0.
    """
    if bool(messages) == bool(since):
        raise Unusable("either --message or --since, and not both")
    ids = [identity_in(each, "a message") for each in messages or []]
    request = pb.ReprocessMessagesRequest(reader=reader, dry_run=dry_run, limit=MESSAGES_PER_CALL, position=position)
    if since:
        request.since.FromDatetime(_instant(since))
    found: list[pb.RereadMessage] = []
    with access_to(state, deadline_seconds=CALL_SECONDS) as access:
        for answer in _answers(access, request, ids):
            found.extend(answer.messages)
            if not as_json:
                _tell(answer, dry_run=dry_run)
    if as_json:
        show_json({"messages": [data_of(each) for each in found], "next_position": 0})
    else:
        _tell_sum(found, dry_run=dry_run)
    return Exit.REFUSED if any(each.findings or each.unreadable for each in found) else Exit.OK


def _answers(
    access: Access, request: pb.ReprocessMessagesRequest, ids: list[str]
) -> Iterator[pb.ReprocessMessagesResponse]:
    """Portion by portion until there is nothing more."""
    stub = intake_reading_pb2_grpc.IntakeReadingServiceStub(access.channel("intake"))
    for start in range(0, len(ids), MESSAGES_PER_CALL):
        del request.message_ids[:]
        request.message_ids.extend(ids[start : start + MESSAGES_PER_CALL])
        yield access.call("intake", stub.ReprocessMessages, request)
    for _ in range(0 if ids else CALLS_MAX):
        answer: pb.ReprocessMessagesResponse = access.call("intake", stub.ReprocessMessages, request)
        yield answer
        if not answer.next_position:
            return
        request.position = answer.next_position


def _instant(text: str) -> datetime:
    """Raises Unusable where the text is no instant; without a zone it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable("--since is a day or an instant, such as 2026-03-01 or 2026-03-01T08:00:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _tell(answer: pb.ReprocessMessagesResponse, *, dry_run: bool) -> None:
    for each in answer.messages:
        if not (each.differences or each.findings or each.unreadable or each.before != each.after):
            continue
        verdict = each.before if each.before == each.after else f"{each.before}, then {each.after}"
        say(f"{each.message_id}: {each.unreadable or verdict}", style="bold")
        for difference in each.differences:
            say(f"  {'would be' if dry_run else 'is'} recorded: {difference}")
        for finding in each.findings:
            say(f"  refused: {finding}")
        for note in each.notes:
            say(f"  left: {note}")
    if answer.next_position:
        say(f"(read up to position {answer.next_position})")


def _tell_sum(found: list[pb.RereadMessage], *, dry_run: bool) -> None:
    changed = sum(bool(each.differences) or each.before != each.after for each in found)
    refused = sum(bool(each.findings or each.unreadable) for each in found)
    word = "would change" if dry_run else "changed"
    say(f"{len(found)} read again: {changed} {word} something, {refused} would be refused or cannot be read.")
