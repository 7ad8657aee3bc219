"""Payers' overpayments: identified with their evidence, watched until their day, and ended by what returned them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, Table, Work, add, put
from chassis.exceptions import end_case, raise_case

from payments.application.payer_credits import end_taken_back, note_identified, rounds_at
from payments.domain.payer_overpayment import (
    OverpaymentReason,
    OverpaymentStep,
    PayerOverpayment,
    overpayment_id_of,
)

OWED_BACK = "PayerOverpaymentOwedBack"
PAYER_OVERPAYMENTS = Table(
    "payer_overpayments",
    {
        "overpayment_id": "uuid",
        "entity": "text",
        "payer": "text",
        "cause": "text",
        "reason": "text",
        "evidence": "text",
        "amount_minor": "bigint",
        "open_minor": "bigint",
        "recouped_minor": "bigint",
        "withdrawn_minor": "bigint",
        "effective_date": "date",
        "due_on": "date",
        "identified_by": "text",
    },
    key=("overpayment_id",),
    indexes=(("entity",), ("due_on",)),
)


def identify_overpayment(
    work: Work,
    *,
    entity: str,
    payer: str,
    cause: str,
    reason: OverpaymentReason,
    evidence: str,
    amount: Money,
    on: date,
) -> UUID:
    """A person knows of an overpayment from `on`; its id. The case says until when it must be returned.

    Raises:
        NotAnOverpayment, OverpaymentChanged: see there.
    """
    claim_id = _claim_in(cause)
    rounds = rounds_at(work, claim_id) if claim_id else 0
    overpayment = work.get_or_new(PayerOverpayment, overpayment_id_of(entity, payer, cause, rounds))
    overpayment.identify(
        entity=entity,
        payer=payer,
        cause=cause,
        reason=reason,
        evidence=evidence,
        amount=amount,
        by=work.context.meta.actor,
        on=on,
    )
    if claim_id is not None:
        note_identified(work, claim_id, overpayment.id, amount)
    raise_case(
        work,
        overpayment.id,
        code=OWED_BACK,
        summary=f"{payer} paid {amount} too much ({reason}: {evidence}); to be returned by {overpayment.due_on}",
        subject="payer-overpayment",
        subject_id=overpayment.id,
        entity=entity,
        amount=amount,
        due_on=overpayment.due_on,
    )
    return overpayment.id


def move_overpayment(
    work: Work, overpayment_id: UUID, step: OverpaymentStep, amount: Money, evidence: str, on: date
) -> Money:
    """Takes what returned, recouped or withdrew it; what is still owed back. The case ends with the last cent.

    Raises:
        UnknownAggregate, NotAnOverpayment, OverpaymentChanged, MoreThanOverpaid, OwnOverpayment: see there.
    """
    overpayment = work.require(PayerOverpayment, overpayment_id)
    overpayment.move(step, amount, evidence, by=work.context.meta.actor, on=on)
    if not overpayment.open_amount:
        end_case(work, overpayment_id, OWED_BACK, f"{step} by {evidence}")
        end_taken_back(work, overpayment_id, f"{step} by {evidence}")
    return overpayment.open_amount


def _claim_in(cause: str) -> UUID | None:
    """The claim that a cause names by its id."""
    try:
        return UUID(cause)
    except ValueError:
        return None


def project_overpayments(event: Event) -> Iterable[Change]:
    """The row of an overpayment; its sums are what the books hold of it."""
    if isinstance(event, PayerOverpayment.Identified):
        yield put(
            PAYER_OVERPAYMENTS,
            overpayment_id=event.originator_id,
            entity=event.entity,
            payer=event.payer,
            cause=event.cause,
            reason=event.reason.value,
            evidence=event.evidence,
            amount_minor=event.amount.minor,
            open_minor=event.amount.minor,
            recouped_minor=0,
            withdrawn_minor=0,
            effective_date=event.effective_date,
            due_on=event.due_on,
            identified_by=event.identified_by,
        )
    elif isinstance(event, PayerOverpayment.Moved):
        minor = event.amount.minor
        yield add(
            PAYER_OVERPAYMENTS,
            {"overpayment_id": event.originator_id},
            open_minor=-minor,
            recouped_minor=minor if event.step is OverpaymentStep.RECOUPED else 0,
            withdrawn_minor=minor if event.step is OverpaymentStep.WITHDRAWN else 0,
        )
