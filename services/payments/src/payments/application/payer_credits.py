"""Payers' credit balances, proposed as overpayments with what shows them, until a person says what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from canonical.events.claims import ClaimAdjudicated
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Above, Change, EventStore, Row, Table, Where, Work, put
from chassis.eventstore.projecting import of
from chassis.exceptions import end_case, raise_case

from payments.application.row_values import int_of
from payments.domain.payer_credit import PayerCredit, payer_credit_id_of
from payments.domain.payer_overpayment import PayerOverpayment

PAYER_CREDIT = "PayerCreditBalance"
TAKEN_BACK = "PayerOverpaymentTakenBack"
CREDITS_PER_PAGE = 1000
PAYER_CREDITS = Table(
    "payer_credits",
    {
        "claim_id": "uuid",
        "entity": "text",
        "payer": "text",
        "overpaid_minor": "bigint",
        "identified_minor": "bigint",
        "remittance_id": "uuid",
        "position": "integer",
        "effective_date": "date",
        "credit_id": "uuid",
        "overpayment_id": "uuid",
    },
    key=("credit_id",),
    indexes=(("entity",), ("overpaid_minor",)),
)


def follow_payer_credit(work: Work, event: ClaimAdjudicated, number: int) -> None:
    """Keeps what a payer has paid twice of a claim after a decision, and has a person look at it until it is gone or identified.

    The sixty days do not run from here: a person starts them who knows that it is an overpayment.
    """
    credit = work.get_or_new(PayerCredit, payer_credit_id_of(event.claim_id))
    opened, identified_as = credit.openings, credit.overpayment_id
    if not credit.tell(
        claim_id=event.claim_id,
        entity=event.entity,
        payer=event.payer,
        remittance_id=event.remittance_id,
        position=event.remittance_position,
        overpaid=event.overpaid,
        decision=number,
        on=event.effective_date,
    ):
        return
    if opened:
        end_case(work, _cause(credit.id, opened), PAYER_CREDIT, "the payer decided again")
    if identified_as is not None:
        _tell_what_is_not_owed_back(work, identified_as, event)
    if event.overpaid > credit.identified:
        raise_case(
            work,
            _cause(credit.id, credit.openings),
            code=PAYER_CREDIT,
            summary=f"{event.payer} has paid {event.overpaid} twice for claim {event.claim_id}, last by remittance "
            f"{event.remittance_id}, position {event.remittance_position}, and reversed nothing",
            subject="claim",
            subject_id=event.claim_id,
            entity=event.entity,
            amount=event.overpaid,
        )


def _tell_what_is_not_owed_back(work: Work, overpayment_id: UUID, event: ClaimAdjudicated) -> None:
    """The payer took back itself what somebody may be about to return: a person looks before money leaves twice."""
    overpayment = work.require(PayerOverpayment, overpayment_id)
    if overpayment.open_amount > event.overpaid:
        raise_case(
            work,
            overpayment_id,
            code=TAKEN_BACK,
            summary=f"{event.payer} leaves {event.overpaid} paid twice for claim {event.claim_id} by remittance "
            f"{event.remittance_id}, position {event.remittance_position}; {overpayment.open_amount} is shown as owed back",
            subject="payer-overpayment",
            subject_id=overpayment_id,
            entity=event.entity,
            amount=overpayment.open_amount - event.overpaid,
        )


def end_taken_back(work: Work, overpayment_id: UUID, reason: str) -> None:
    """Nothing of the overpayment is shown as owed back any more; nobody returns it a second time."""
    end_case(work, overpayment_id, TAKEN_BACK, reason)


def rounds_at(work: Work, claim_id: UUID) -> int:
    """How many identified overpayments of a claim its payer took back whole."""
    credit = work.get(PayerCredit, payer_credit_id_of(claim_id))
    return credit.rounds if credit is not None else 0


def concerns_a_credit(event: ClaimAdjudicated) -> bool:
    """Whether a decision may open a credit, or end one."""
    return bool(event.overpaid) or not event.first


def note_identified(work: Work, claim_id: UUID, overpayment_id: UUID, amount: Money) -> None:
    """A person has said what the credit at a claim is; its case ends."""
    credit = work.get(PayerCredit, payer_credit_id_of(claim_id))
    if credit is not None and credit.identified != amount:
        credit.trigger_event(PayerCredit.Identified, overpayment_id=overpayment_id, amount=amount)
        end_case(work, _cause(credit.id, credit.openings), PAYER_CREDIT, f"identified as overpayment {overpayment_id}")


@of(PayerCredit)
def project_payer_credits(event: Event) -> Iterable[Change]:
    """The row of a credit; zero where the payer has taken it back."""
    if isinstance(event, PayerCredit.Told):
        yield put(
            PAYER_CREDITS,
            credit_id=event.originator_id,
            claim_id=event.claim_id,
            entity=event.entity,
            payer=event.payer,
            overpaid_minor=event.overpaid.minor,
            remittance_id=event.remittance_id,
            position=event.position,
            effective_date=event.effective_date,
            **({} if event.overpaid else {"overpayment_id": None, "identified_minor": 0}),
        )
    elif isinstance(event, PayerCredit.Identified):
        identified = {"overpayment_id": event.overpayment_id, "identified_minor": event.amount.minor}
        yield put(PAYER_CREDITS, credit_id=event.originator_id, **identified)


def credits_to_show(store: EventStore, where: Where, limit: int, *, identified_too: bool) -> list[Row]:
    """What is paid twice, the most first; without `identified_too` only where more is than a person has identified."""
    rows = (
        row
        for row in _every_credit(store, {**where, "overpaid_minor": Above.ZERO})
        if identified_too or int_of(row["overpaid_minor"]) > int_of(row["identified_minor"] or 0)
    )
    return sorted(rows, key=lambda row: (-int_of(row["overpaid_minor"]), str(row["claim_id"])))[:limit]


def _every_credit(store: EventStore, where: Where) -> Iterator[Row]:
    last: Row | None = None
    while page := store.rows(PAYER_CREDITS, where, order=("credit_id",), limit=CREDITS_PER_PAGE, after=last):
        yield from page
        last = page[-1]


def _cause(credit_id: UUID, opening: int) -> UUID:
    return derive("payer-credit-opened", credit_id, opening)
