"""Accounts at a moment, their lines and their cash, as messages of the proto."""

from __future__ import annotations

from billing.payments.v1 import patient_accounts_pb2 as pb
from billing.payments.v1 import payments_pb2
from chassis.eventstore import Row

from payments.adapters.grpc_messages import activity_sent, money_sent, text_of
from payments.application.account_history import AccountThen, Held, Place
from payments.application.unapplied_cash import Unapplied


def account_then_sent(account: AccountThen) -> pb.AccountBalance:
    return pb.AccountBalance(
        account=payments_pb2.Account(
            account_id=str(account.account_id),
            entity=account.entity,
            patient_id=str(account.patient_id),
            responsibility=money_sent(account.responsibility),
            written_off=money_sent(account.written_off),
            applied=money_sent(account.applied),
            unapplied=money_sent(account.unapplied),
            balance=money_sent(account.balance),
        ),
        places=map(_place_sent, account.places),
        cash=map(_held_sent, account.cash),
        lines=map(line_sent, account.lines),
    )


def line_sent(row: Row) -> payments_pb2.Activity:
    """A line with the instant it was recorded at."""
    sent = activity_sent(row)
    sent.recorded_at = text_of(row["recorded_at"])
    return sent


def unapplied_sent(unapplied: Unapplied, age_days: int) -> pb.Unapplied:
    return pb.Unapplied(
        payment_id=str(unapplied.payment_id),
        account_id=text_of(unapplied.account_id),
        entity=unapplied.entity,
        amount=money_sent(unapplied.amount),
        since=unapplied.since.isoformat(),
        age_days=age_days,
        why=unapplied.why.value,
    )


def _place_sent(place: Place) -> pb.OwedPlace:
    return pb.OwedPlace(
        place=str(place.place),
        encounter_id=str(place.encounter_id),
        since=place.since.isoformat(),
        responsibility=money_sent(place.responsibility),
        written_off=money_sent(place.written_off),
        paid=money_sent(place.paid),
        open=money_sent(place.open),
        lines=[pb.OwedLine(line=line, responsibility=money_sent(amount)) for line, amount in place.lines],
    )


def _held_sent(held: Held) -> pb.HeldCash:
    return pb.HeldCash(
        payment_id=str(held.payment_id),
        received_on=held.received_on.isoformat(),
        amount=money_sent(held.amount),
        unapplied=money_sent(held.unapplied),
        parts=[pb.PaidPart(place=str(part.place), amount=money_sent(part.amount)) for part in held.parts],
        allocations=[
            pb.Allocation(
                allocation_id=str(identity), target=str(each.target), amount=money_sent(each.amount), line=each.line
            )
            for identity, each in held.reserved
        ],
    )
