"""Rows of the read models and answers of ERPs as messages of `billing.ledger.v1`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from billing.common.v1 import common_pb2
from billing.ledger.v1 import ledger_pb2 as pb
from canonical.journal import JournalLine
from canonical.money import USD, Money
from chassis.eventstore import Row

from ledger_adapter.application.answers import OpenGroup, Receivable
from ledger_adapter.application.ports import AccountBalance, ErpDocument, Pending
from ledger_adapter.application.summaries import DIMENSIONS, line_place, minor


def money_message(amount: int | Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor if isinstance(amount, Money) else amount, currency=USD)


def line_messages(lines: Iterable[JournalLine | AccountBalance]) -> list[pb.Line]:
    return [_line_message(line) for line in lines]


def _line_message(line: JournalLine | AccountBalance) -> pb.Line:
    message = pb.Line(account=line.account.value, party=line.party, amount=money_message(line.amount))
    if isinstance(line, JournalLine):
        for name in DIMENSIONS:
            setattr(message, name, getattr(line, name))
    return message


def balance_message(row: Row) -> pb.AccountBalance:
    return pb.AccountBalance(
        entity=text(row["entity"]),
        account=text(row["account"]),
        party=text(row["party"]),
        subledger=money_message(minor(row, "subledger_minor")),
        intended=money_message(minor(row, "intended_minor")),
        confirmed=money_message(minor(row, "confirmed_minor")),
    )


def journal_message(row: Row) -> pb.Journal:
    lines = row["lines"]
    assert isinstance(lines, list), "the lines of an entry are a list"
    return pb.Journal(
        journal_id=text(row["journal_id"]),
        external_number=text(row["external_number"]),
        entity=text(row["entity"]),
        kind=text(row["kind"]),
        group_id=text(row["group_id"]),
        state=text(row["state"]),
        reason=text(row["reason"]),
        effective_date=text(row["effective_date"]),
        intended_at=text(row["intended_at"]),
        changed_at=text(row["changed_at"]),
        erp=text(row["erp"]),
        erp_document=text(row["erp_document"]),
        posting_count=minor(row, "posting_count"),
        posting_digest=text(row["posting_digest"]),
        rules_version=text(row["rules_version"]),
        lines=line_messages(JournalLine.model_validate(line) for line in lines),
    )


def part_message(line: Row, posting: Row) -> pb.Part:
    amount = money_message(minor(line, "amount_minor"))
    adjustment = minor(posting, "adjustment")
    return pb.Part(
        posting_id=text(line["posting_id"]),
        source_event_id=text(posting["source_event_id"]),
        line=pb.Line(
            account=text(line["account"]),
            party=text(line["party"]),
            amount=amount,
            **_dimensions(line),
        ),
        rules=text(line["rules"]),
        effective_date=text(line["effective_date"]),
        item_id=text(posting["item_id"]),
        remittance_position=minor(posting, "remittance_position"),
        claim_id=text(line["claim_id"]),
        encounter_id=text(line["encounter_id"]),
        patient_id=text(line["patient_id"]),
        payer_class=text(line["payer_class"]),
        department=text(line["department"]),
        adjustment=adjustment if adjustment >= 0 else None,
    )


def _dimensions(line: Row) -> dict[str, str]:
    """The dimensions that an entry's lines are told apart by."""
    place = line_place(text(line["account"]), text(line["party"]), [text(line[name]) for name in DIMENSIONS])
    return {name: getattr(place, name) for name in DIMENSIONS}


def open_group_message(group: OpenGroup) -> pb.OpenGroup:
    return pb.OpenGroup(
        kind=group.kind.value,
        group_id=str(group.group_id),
        reason=group.reason,
        posting_count=group.posting_count,
        lines=line_messages(group.lines),
    )


def receivable_message(receivable: Receivable) -> pb.Receivable:
    return pb.Receivable(
        encounter_id=text(receivable.encounter_id),
        patient_id=text(receivable.patient_id),
        amount=money_message(receivable.amount),
        effective_date=text(receivable.effective_date),
    )


def item_message(row: Row) -> pb.AccountItem:
    return pb.AccountItem(
        item_id=text(row["item_id"]),
        kind=text(row["kind"]),
        amount=money_message(minor(row, "amount_minor")),
        effective_date=text(row["effective_date"]),
    )


def document_message(number: str, held: ErpDocument | Pending) -> pb.ErpDocument:
    if isinstance(held, Pending):
        return pb.ErpDocument(external_number=number)
    return pb.ErpDocument(
        external_number=number,
        document_id=held.document_id,
        effective_date=held.effective_date.isoformat(),
        lines=line_messages(held.lines),
    )


def text(value: object) -> str:
    """Ids, dates, instants and codes as text; nothing is empty."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
