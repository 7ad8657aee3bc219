"""An exception as the operations service tells it: its row, and what its guide says may be done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from billing.common.v1 import common_pb2
from billing.operations.v1 import operations_pb2 as pb

from chassis.eventstore import Row
from chassis.eventstore.tables import Value
from chassis.exceptions.case import CASES, CaseState
from chassis.exceptions.guides import Action, CaseGuide, filled

_OPEN = (CaseState.OPEN, CaseState.ASSIGNED)
_NO_TEXT = frozenset({"amount_minor", "due_on"})


def case_told(row: Row, guide: CaseGuide, common: Iterable[Action]) -> pb.Case:
    """The answer about one row; actions are only told of a case that is open."""
    amount, due_on = row["amount_minor"], row["due_on"]
    money = None if amount is None else common_pb2.Money(minor=int(str(amount)), currency="USD")
    texts = {name: _text(row[name]) for name in CASES.columns if name not in _NO_TEXT}
    actions = (*guide.actions, *common) if row["state"] in _OPEN else ()
    return pb.Case(
        amount=money,
        **texts,
        means=guide.means,
        evidence=[_filled(command, row) for command in guide.evidence],
        actions=[_action(each, row) for each in actions],
        due_on=(due_on if isinstance(due_on, date) else guide.due_on(_instant(row["raised_at"]).date())).isoformat(),
        needs_second_person=guide.by_two,
    )


def _action(action: Action, row: Row) -> pb.CaseAction:
    command = _filled(action.command, row)
    return pb.CaseAction(name=action.name, does=action.does, command=command, scope=action.scope)


def _filled(command: str, row: Row) -> str:
    ids = {
        "{case}": row["case_id"],
        "{subject}": row["subject_id"] or "ID",
        "{message}": row["message_id"] or "MESSAGE",
    }
    return filled(command, {place: str(identity) for place, identity in ids.items()})


def _instant(value: Value) -> datetime:
    assert isinstance(value, datetime), "a case has the instant at which it was raised"
    return value


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)
