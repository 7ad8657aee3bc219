"""A trace as a person reads it: from the ERP's line down to the bytes."""

from __future__ import annotations

from throughline.screen import Column, say, show_table
from throughline.tracing.following import TracedJournal, TracedLine, TracedPart
from throughline.tracing.origins import Origin
from throughline.tracing.records import Message, Place
from throughline.tracing.subjects import Subject
from throughline.wire import amount_text

_LINES = (
    Column("account"),
    Column("party"),
    Column("at the ERP", right=True),
    Column("journal line", right=True),
    Column("sum of parts", right=True),
    Column("parts", right=True),
    Column(""),
)


def tell(subject: Subject, journals: list[TracedJournal]) -> None:
    """The subject, then each journal entry it is in."""
    if subject.kind != "journal":
        say(subject.title, style="bold")
    for sentence in subject.told:
        say(f"  {sentence}")
    for message in subject.messages:
        say(f"  {_message_words(message)}, {message.size_bytes} bytes, {message.state}")
    for journal in journals:
        _tell_journal(journal)
    say()
    if not journals:
        say("It is in no journal entry.")
    elif not all(journal.adds_up for journal in journals):
        say("It does not add up; look for the lines marked so.", style="bold red")
    elif all(journal.erp.lines is not None for journal in journals):
        say("Every level adds up, from the ERP to the message.", style="green")
    else:
        say("Every level adds up that could be read; not all of it was read from the ERP.", style="green")


def verdict(holds: bool) -> str:
    return "adds up" if holds else "does not add up"


def _tell_journal(traced: TracedJournal) -> None:
    journal, erp = traced.journal, traced.erp
    say()
    say(f"Journal entry {journal.external_number} of {journal.entity}: {journal.kind}, {journal.state}", style="bold")
    document = f"document {erp.document or journal.erp_document}" if erp.document or journal.erp_document else ""
    where = " ".join(filter(None, (erp.erp or journal.erp, document)))
    say(f"  effective {journal.effective_date}, entry {journal.journal_id}")
    say(f"  at the ERP: {where or 'not there yet'}{', read back now' if erp.lines is not None else ''}")
    if erp.note:
        say(f"  {erp.note}")
    show_table(_LINES, [_line_row(line) for line in traced.lines])
    for strange in traced.only_at_erp:
        say(f"  only at the ERP: {strange.account} {strange.party} {amount_text(strange.amount)}", style="bold red")
    facts_told: set[str] = set()
    for line in traced.lines:
        _tell_line(line, facts_told)


def _line_row(traced: TracedLine) -> list[str]:
    at_erp = "not read" if traced.at_erp is None else amount_text(traced.at_erp)
    amounts = [at_erp, amount_text(traced.line.amount), amount_text(traced.parts_total)]
    count = str(len(traced.parts) + traced.rest_count)
    return [traced.line.account, traced.line.party, *amounts, count, verdict(traced.adds_up)]


def _tell_line(traced: TracedLine, facts_told: set[str]) -> None:
    line = traced.line
    say(f"{line.account} {line.party} {amount_text(line.amount)} is made of".replace("  ", " "), style="bold")
    for part in traced.parts:
        _tell_part(part, first=part.part.posting_id not in facts_told)
        facts_told.add(part.part.posting_id)
    if traced.rest_count:
        say(f"  {amount_text(traced.rest):>14}  in {traced.rest_count} other parts")


def _tell_part(traced: TracedPart, *, first: bool) -> None:
    part, origin = traced.part, traced.origin
    say(f"  {amount_text(part.line.amount):>14}  by {part.rules.replace(',', ', ')}, posting {part.posting_id}")
    indent = " " * 18
    if origin is None:
        say(f"{indent}its fact is missing: {traced.problem}", style="bold red")
        return
    if first:
        _tell_fact(part.event_id, origin, indent)
    else:
        say(f"{indent}{origin.event} told above: {origin.equation}")
    say(f"{indent}{verdict(traced.adds_up)}", style="green" if traced.adds_up else "bold red")


def _tell_fact(event_id: str, origin: Origin, indent: str) -> None:
    say(f"{indent}from {origin.event} {event_id} of {origin.service}")
    for sentence in origin.story:
        say(f"{indent}{sentence}")
    for place in origin.places:
        _tell_place(place, indent)
    if origin.bytes_agree is not None:
        say(f"{indent}the bytes {'say the same' if origin.bytes_agree else 'say something else'}")


def _tell_place(place: Place, indent: str) -> None:
    end = place.start + place.length - 1
    say(f"{indent}{_message_words(place.message)}, bytes {place.start} to {end} of {place.message.size_bytes}")
    if place.refusal:
        say(f"{indent}not opened: {place.refusal}")
    if place.content is not None:
        for text in place.content.decode("utf-8", "replace").replace("\r", "\n").replace("~", "~\n").split("\n"):
            if text.strip():
                say(f"{indent}| {text}")


def _message_words(message: Message) -> str:
    source = f"{message.source_system} {message.delivery_key}".strip()
    return f"message {message.message_id}, {message.format} from {source}, kept by {message.service}"
