"""People at the clerks' desk: what they do as soon as it can be done, told in any order with all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from payments.application.payment_plans import agree_plan
from payments.application.refunding import RefundReason, ask_for_refund, decide_refund, refund_id_for
from payments.application.transfers import approve_transfer, request_transfer
from payments.application.use_cases import match_payment
from payments.application.write_offs import approve_write_off, request_write_off
from payments.domain.account_transfer import Moved, TransferOf
from payments.domain.patient_account import account_id_of
from payments.domain.payment import payment_id_of
from payments.domain.payment_plan import Instalment
from payments.domain.write_off_rules import WriteOffKind

from tests.contracts.gateway_till import ENTITY, Till, patient_of

CLERK, MANAGER = "user:clerk", "user:manager"
NOTHING = Money(0)
DAY = date(2026, 3, 2)
REFUND, CASH, SHARE, CHARITY, BAD_DEBT, INSTALMENT = (Money(each * 100) for each in (40, 30, 25, 15, 60, 20))
PAYS_TOO_MUCH, OWES, STANDS_FOR, PAYS_A_PART, UNNAMED = "pays too much", "owes", "stands for", "pays a part", "unnamed"
PATIENTS = (PAYS_TOO_MUCH, OWES, STANDS_FOR, PAYS_A_PART, UNNAMED)
"""Each is charged 100.00; what people do to one of them is possible whatever came before."""


@dataclass(frozen=True)
class AtTheDesk:
    """What somebody does; until it can be done it is tried again."""

    by: str
    command: Callable[[Work], object]


def account_of(name: str) -> UUID:
    return account_id_of(ENTITY, patient_of(name))


def visit_of(name: str) -> UUID:
    return derive("gateway-story-visit", patient_of(name), 1)


def at_the_desk(tills: dict[str, Till]) -> list[AtTheDesk]:
    """What the gateway sees of it happens now; the rest is for people."""
    too_much = payment_id_of(tills[PAYS_TOO_MUCH].pay(170_00).id)
    tills[PAYS_A_PART].pay(25_00)
    unnamed = payment_id_of(tills[UNNAMED].pay(100_00, named=False).id)
    acts: list[AtTheDesk] = [
        *_refunded(too_much),
        *_moved(TransferOf(Moved.CASH, too_much, account_of(PAYS_TOO_MUCH), account_of(OWES), CASH)),
        *_moved(TransferOf(Moved.SHARE, visit_of(OWES), account_of(OWES), account_of(STANDS_FOR), SHARE)),
        *_given_up(OWES, WriteOffKind.CHARITY, CHARITY),
        *_given_up(PAYS_A_PART, WriteOffKind.BAD_DEBT, BAD_DEBT),
        AtTheDesk(CLERK, partial(_plan, account_id=account_of(STANDS_FOR))),
        AtTheDesk(CLERK, lambda work: match_payment(work, unnamed, account_of(UNNAMED), DAY)),
    ]
    return acts


def _refunded(payment_id: UUID) -> Iterator[AtTheDesk]:
    yield AtTheDesk(CLERK, lambda work: ask_for_refund(work, payment_id, "desk", REFUND, RefundReason.OVERPAID, CLERK))
    yield AtTheDesk(
        MANAGER,
        lambda work: decide_refund(
            work, refund_id_for("desk"), REFUND, by=MANAGER, limit=NOTHING, on=DAY, approves=True
        ),
    )


def _moved(wanted: TransferOf) -> Sequence[AtTheDesk]:
    transfer_id = derive("desk-transfer", wanted.source)
    approve = partial(approve_transfer, transfer_id=transfer_id, amount=wanted.amount, limit=NOTHING, on=DAY)
    ask = partial(request_transfer, transfer_id=transfer_id, wanted=wanted, reason="R1")
    return AtTheDesk(CLERK, ask), AtTheDesk(MANAGER, approve)


def _given_up(name: str, kind: WriteOffKind, amount: Money) -> Sequence[AtTheDesk]:
    write_off_id = derive("desk-write-off", name)
    ask = partial(
        request_write_off,
        write_off_id=write_off_id,
        account_id=account_of(name),
        place=visit_of(name),
        kind=kind,
        amount=amount,
        reason="R2",
    )
    approve = partial(approve_write_off, write_off_id=write_off_id, amount=amount, limit=NOTHING, on=DAY)
    return AtTheDesk(CLERK, ask), AtTheDesk(MANAGER, approve)


def _plan(work: Work, account_id: UUID) -> None:
    instalment = Instalment(due_on=date(2027, 1, 1), amount=INSTALMENT)
    agree_plan(work, derive("desk-plan", account_id), account_id=account_id, instalments=[instalment], on=DAY)
