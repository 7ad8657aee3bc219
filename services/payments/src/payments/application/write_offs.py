"""Write-offs of patients' balances, as people ask for them, allow them and take them back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Work

from payments.domain.account_refusals import MoreThanOwed
from payments.domain.patient_account import PatientAccount
from payments.domain.write_off import PatientWriteOff
from payments.domain.write_off_rules import WriteOffKind


def request_write_off(
    work: Work, write_off_id: UUID, *, account_id: UUID, place: UUID, kind: WriteOffKind, amount: Money, reason: str
) -> None:
    """The actor asks to give up so much of what is owed at a claim or encounter.

    Raises:
        UnknownAggregate: no such account.
        MoreThanOwed: so much is not owed there.
        OtherWriteOff, NothingToWriteOff: see there.
    """
    account = work.require(PatientAccount, account_id)
    write_off = work.get_or_new(PatientWriteOff, write_off_id)
    if not write_off.exists and amount > account.open_at(place):
        raise MoreThanOwed(f"{account.open_at(place)} is owed at {place}, not {amount}")
    write_off.request(
        account_id=account_id,
        entity=account.entity,
        place=place,
        kind=kind,
        amount=amount,
        reason=reason,
        by=work.context.meta.actor,
    )


def approve_write_off(work: Work, write_off_id: UUID, *, amount: Money, limit: Money, on: date) -> None:
    """The actor allows it, and the account gives it up; above the limit by a second person.

    Raises:
        UnknownAggregate: no such write-off.
        WriteOffDecided, OtherAmountAsked, OwnWriteOff: see there.
        MoreThanOwed: less is owed there by now.
    """
    write_off = work.require(PatientWriteOff, write_off_id)
    write_off.approve(amount, by=work.context.meta.actor, limit=limit, on=on)
    account = _account_of(work, write_off)
    assert write_off.place is not None, "a write-off has a place"
    account.write_off(write_off_id, kind=write_off.kind, place=write_off.place, amount=amount, on=on)


def turn_write_off_down(work: Work, write_off_id: UUID, reason: str) -> None:
    """Raises UnknownAggregate, WriteOffDecided; whoever asked may take the request back."""
    work.require(PatientWriteOff, write_off_id).turn_down(by=work.context.meta.actor, reason=reason)


def reverse_write_off(
    work: Work, write_off_id: UUID, reversal_id: UUID, *, amount: Money, reason: str, on: date
) -> None:
    """Has so much of it owed again.

    Raises:
        UnknownAggregate: no such write-off.
        NotWrittenOff: it was not approved.
        MoreThanWrittenOff, WriteOffChanged: see there.
    """
    write_off = work.require(PatientWriteOff, write_off_id)
    write_off.reverse(reversal_id, amount, by=work.context.meta.actor, reason=reason, on=on)
    _account_of(work, write_off).reverse_write_off(reversal_id, write_off_id, amount=amount, on=on)


def _account_of(work: Work, write_off: PatientWriteOff) -> PatientAccount:
    assert write_off.account_id is not None, "a write-off has an account"
    return work.require(PatientAccount, write_off.account_id)
