"""A trace as data."""

from __future__ import annotations

from dataclasses import asdict

from canonical.money import Money

from throughline.tracing.following import TracedJournal, TracedLine, TracedPart
from throughline.tracing.origins import Origin
from throughline.tracing.records import Message, Place
from throughline.tracing.subjects import Subject

Report = dict[str, object]


def trace_report(wanted: str, subject: Subject, journals: list[TracedJournal]) -> Report:
    """Everything that is shown to people, with whole ids."""
    return {
        "id": wanted,
        "kind": subject.kind,
        "adds_up": all(journal.adds_up for journal in journals),
        "told": subject.told,
        "messages": [_message(each) for each in subject.messages],
        "journals": [_journal(each) for each in journals],
    }


def _journal(traced: TracedJournal) -> Report:
    journal = traced.journal
    return {
        "journal_id": journal.journal_id,
        "external_number": journal.external_number,
        "entity": journal.entity,
        "kind": journal.kind,
        "effective_date": journal.effective_date,
        "state": journal.state,
        "erp": traced.erp.erp or journal.erp,
        "erp_document": traced.erp.document or journal.erp_document,
        "erp_read": traced.erp.lines is not None,
        "erp_note": traced.erp.note,
        "only_at_erp": [{"account": e.account, "party": e.party, "amount": str(e.amount)} for e in traced.only_at_erp],
        "adds_up": traced.adds_up,
        "lines": [_line(each) for each in traced.lines],
    }


def _line(traced: TracedLine) -> Report:
    return {
        "account": traced.line.account,
        "party": traced.line.party,
        "amount": str(traced.line.amount),
        "amount_at_erp": _text(traced.at_erp),
        "amount_of_parts": str(traced.parts_total),
        "part_count": len(traced.parts) + traced.rest_count,
        "adds_up": traced.adds_up,
        "parts": [_part(each) for each in traced.parts],
        "rest_count": traced.rest_count,
        "rest_amount": str(traced.rest),
    }


def _part(traced: TracedPart) -> Report:
    part = traced.part
    return {
        "posting_id": part.posting_id,
        "amount": str(part.line.amount),
        "rules": part.rules.split(","),
        "effective_date": part.effective_date,
        "event_id": part.event_id,
        "item_id": part.item_id,
        "remittance_position": part.position,
        "claim_id": part.claim_id,
        "encounter_id": part.encounter_id,
        "adds_up": traced.adds_up,
        "problem": traced.problem,
        "origin": None if traced.origin is None else _origin(traced.origin),
    }


def _origin(origin: Origin) -> Report:
    return {
        "event": origin.event,
        "service": origin.service,
        "told": list(origin.story),
        "amounts": {account: str(amount) for account, amount in origin.amounts.items() if amount},
        "equation": origin.equation,
        "equation_holds": origin.equation_holds,
        "bytes_agree": origin.bytes_agree,
        "places": [_place(each) for each in origin.places],
    }


def _place(place: Place) -> Report:
    content = None if place.content is None else place.content.decode("utf-8", "replace")
    return _message(place.message) | {
        "start": place.start,
        "length": place.length,
        "content": content,
        "refusal": place.refusal,
    }


def _message(message: Message) -> Report:
    return asdict(message)


def _text(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
