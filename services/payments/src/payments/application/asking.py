"""Which accounts are asked to pay, by their step; and what was sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from chassis.eventstore import Above, EventStore, Work
from chassis.eventstore.work import UnknownAggregate

from payments.application.dunning import Policies
from payments.application.patient_rows import ACCOUNTS
from payments.application.row_values import uuid_of
from payments.application.statements import statement
from payments.domain.asking import AccountAsking, asking_id_of
from payments.domain.dunning import DunningStep
from payments.domain.statement import Statement

LOOKED_AT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """The statements that were found, and of how many accounts that owe something it was looked."""

    found: list[Statement]
    looked_at: int


def accounts_asked(
    store: EventStore, policies: Policies, now: datetime, *, entity: str, step: DunningStep | None, limit: int
) -> Asked:
    """Those at a step, or at any, that owe the most; of the 2,000 that owe the most."""
    where: dict[str, object] = {"owed_minor": Above.ZERO}
    if entity:
        where["entity"] = entity
    rows = store.rows(ACCOUNTS, where, order=("-owed_minor", "account_id"), limit=LOOKED_AT_MAX)
    found: list[Statement] = []
    for looked_at, row in enumerate(rows, 1):
        said = statement(store, uuid_of(row["account_id"]), now.date(), now, policies)
        if said is not None and step in (None, said.asking.step):
            found.append(said)
            if len(found) == limit:
                return Asked(found, looked_at)
    return Asked(found, len(rows))


def note_statement_sent(
    work: Work, store: EventStore, account_id: UUID, *, means: str, on: date, policies: Policies
) -> DunningStep:
    """The actor has sent the statement of that day; by which step it asked. The same day again changes nothing.

    Raises:
        UnknownAggregate: no such account by then.
        NothingToAsk: see there.
    """
    said = statement(store, account_id, on, work.context.now, policies)
    if said is None:
        raise UnknownAggregate(f"no account {account_id} on {on}")
    asking = work.get_or_new(AccountAsking, asking_id_of(account_id))
    by = work.context.meta.actor
    return asking.send(account_id, said.entity, said.asking, means=means, by=by, on=on)
