"""Deposits become the money of remittances: by themselves where trace and amount agree, else by a person's word."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import Work
from chassis.exceptions import end_case

from payments.domain.deposit import Deposit
from payments.domain.remittance import DepositDiffers, DepositPart, Remittance

LOOSE_DEPOSIT = "DepositWithoutRemittance"
UNDEPOSITED = "RemittanceWithoutDeposit"
DIFFERS = "DepositDiffers"


class SeveralOfSeveral(Refusal):
    """Several deposits for several remittances: nobody could say which cent is whose; tie them one by one."""


class DepositOfOtherEntity(Refusal):
    """The deposit is on a bank account of another legal entity than the remittance's."""


class RemittanceNotAccepted(Refusal):
    """No copy of the remittance was accepted, so that it has no payment."""


def tie(work: Work, deposit_ids: Sequence[UUID], remittance_ids: Sequence[UUID]) -> None:
    """Says that these deposits are these remittances' money: one of one, several of one, or one of several, to the cent.

    Raises:
        UnknownAggregate: no such deposit or remittance.
        SeveralOfSeveral, DepositOfOtherEntity, RemittanceNotAccepted: it cannot be.
        DepositDiffers, DepositTaken: the sums differ, or one of them is tied to others.
    """
    if not deposit_ids or not remittance_ids or min(len(deposit_ids), len(remittance_ids)) > 1:
        raise SeveralOfSeveral(f"{len(deposit_ids)} deposits for {len(remittance_ids)} remittances")
    deposits = [work.require(Deposit, identity) for identity in dict.fromkeys(deposit_ids)]
    remittances = [work.require(Remittance, identity) for identity in dict.fromkeys(remittance_ids)]
    payments = [_payment_of(remittance, deposits) for remittance in remittances]
    if len(remittances) == 1:
        remittances[0].match_deposits([_part(deposit, deposit.amount) for deposit in deposits])
    else:
        _split(deposits[0], remittances, payments)
    for deposit in deposits:
        deposit.match(remittances[0].id, *(remittance.id for remittance in remittances[1:]))
        for code in (LOOSE_DEPOSIT, DIFFERS):
            end_case(work, deposit.id, code, "the deposit has been matched")
    for remittance in remittances:
        end_case(work, remittance.id, UNDEPOSITED, "its deposit has been matched")


def _split(deposit: Deposit, remittances: Sequence[Remittance], payments: Sequence[Money]) -> None:
    residual = deposit.amount - Money.total(payments)
    if residual:
        raise DepositDiffers(f"deposit {deposit.id}: deposit minus {len(remittances)} remittances is {residual}")
    for remittance, payment in zip(remittances, payments, strict=True):
        remittance.match_deposits([_part(deposit, payment)])


def _payment_of(remittance: Remittance, deposits: Sequence[Deposit]) -> Money:
    if remittance.summary is None:
        raise RemittanceNotAccepted(f"remittance {remittance.id}: no copy of it was accepted")
    for deposit in deposits:
        if deposit.entity != remittance.summary.entity:
            raise DepositOfOtherEntity(
                f"deposit {deposit.id} is {deposit.entity}'s, the remittance {remittance.summary.entity}'s"
            )
    return remittance.summary.payment


def _part(deposit: Deposit, amount: Money) -> DepositPart:
    return DepositPart(deposit.id, amount, deposit.on, deposit.is_unidentified)
