"""The read model of statements that were sent."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, put
from chassis.eventstore.projecting import of

from payments.domain.asking import AccountAsking

STATEMENTS_SENT = Table(
    "statements_sent",
    {
        "account_id": "uuid",
        "sent_on": "date",
        "entity": "text",
        "step": "text",
        "asked_minor": "bigint",
        "means": "text",
        "sent_by": "text",
        "recorded_at": "timestamptz",
    },
    key=("account_id", "sent_on"),
    indexes=(("entity", "step"),),
)


@of(AccountAsking)
def project_asking(event: Event) -> Iterable[Change]:
    """The row of a statement that was sent."""
    if isinstance(event, AccountAsking.StatementSent):
        yield put(
            STATEMENTS_SENT,
            account_id=event.account_id,
            sent_on=event.effective_date,
            entity=event.entity,
            step=event.step.value,
            asked_minor=event.asked.minor,
            means=event.means,
            sent_by=event.sent_by,
            recorded_at=event.timestamp,
        )
