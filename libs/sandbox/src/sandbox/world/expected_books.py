"""What the books must show of the payers' money, by the journal rules alone, from what was charged and what payers decided.

It shares nothing with the ledger but the words: entity, account role, party.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from canonical.codes import AccountRole, AdjustmentGroup
from canonical.money import Money

from sandbox.world.adjudication import SEQUESTRATION
from sandbox.world.desk import FORWARDED_STATUS, PREDETERMINED_STATUS, UNKNOWN_PATIENT_CONTROL_NUMBER
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.open_items import (
    AUTHORIZED_RETURN,
    FORWARDED_BALANCE,
    INTEREST,
    LEVY,
    OVERPAYMENT_RECOVERY,
)
from sandbox.world.received_claims import PRIMARY, Adjustment, ReceivedClaim
from sandbox.world.remittances import PaidClaim, Remittance
from sandbox.world.scenario import Flaw, Scenario, SimulatedEncounter

Books = Counter[tuple[str, AccountRole, str]]
"""Cents by entity, account and party; debit positive. Only receivables name a party."""

PAYER_SIDE = frozenset(
    {
        AccountRole.AR_PAYER,
        AccountRole.AR_PAYER_DENIED,
        AccountRole.AR_ALLOWANCE,
        AccountRole.CONTRACTUAL_ALLOWANCE,
        AccountRole.SEQUESTRATION,
        AccountRole.EFT_CLEARING,
        AccountRole.DUE_TO_PAYER,
        AccountRole.INTEREST_INCOME,
        AccountRole.LEVIES_WITHHELD,
        AccountRole.UNAPPLIED_PAYER,
        AccountRole.GROSS_REVENUE,
    }
)
"""The accounts that payers' remittances and the charges move alone; patients' money moves the others too."""

_ROLE_OF_PLB = {
    FORWARDED_BALANCE: AccountRole.DUE_TO_PAYER,
    OVERPAYMENT_RECOVERY: AccountRole.DUE_TO_PAYER,
    AUTHORIZED_RETURN: AccountRole.DUE_TO_PAYER,
    INTEREST: AccountRole.INTEREST_INCOME,
    LEVY: AccountRole.LEVIES_WITHHELD,
}
_RECEIVABLES = (AccountRole.AR_PAYER, AccountRole.AR_PAYER_DENIED)


def expected_books(
    scenario: Scenario,
    posted: Iterable[Remittance],
    originals: Iterable[ReceivedClaim],
    deposited: Iterable[Remittance] | None = None,
) -> Books:
    """The balances after every charge of the story, these remittances, and the deposits of these (or of the same).

    `originals` are the claims as the payers first took them.
    """
    remittances = list(posted)
    books: Books = Counter()
    for encounter in scenario.encounters:
        if encounter.flaw is not Flaw.UNKNOWN_PAYER:
            _charge(books, encounter)
    _Remitted(books, scenario, originals).post(remittances)
    for remittance in remittances if deposited is None else deposited:
        books[remittance.entity.code, AccountRole.CASH, ""] += remittance.amount.minor
        books[remittance.entity.code, AccountRole.EFT_CLEARING, ""] -= remittance.amount.minor
    return books


def payer_side(books: Mapping[tuple[str, AccountRole, str], int]) -> dict[tuple[str, str, str], int]:
    """The accounts of `PAYER_SIDE` that are not empty, by the account's plain name."""
    return {
        (entity, role.value, party): minor
        for (entity, role, party), minor in books.items()
        if minor and role in PAYER_SIDE
    }


def patient_party(entity: str) -> str:
    """The one party under which all patients of an entity owe."""
    return f"PATIENTS-{entity}"


def _charge(books: Books, encounter: SimulatedEncounter) -> None:
    entity, total = encounter.entity, encounter.total.minor
    books[entity, AccountRole.GROSS_REVENUE, ""] -= total
    if encounter.coverage is None:
        books[entity, AccountRole.AR_PATIENT, patient_party(entity)] += total
        return
    payer = encounter.coverage.payer
    books[entity, AccountRole.AR_PAYER, payer] += total
    _expect(books, entity, payer, encounter.total)


def _expect(books: Books, entity: str, payer: str, amount: Money) -> None:
    """What the contract is expected to take off, booked at the charge and taken back at the first decision."""
    row = next(each for each in sandbox_master_data().payers if each.code == payer)
    estimate = amount.share_half_even(row.expected_contractual_percent, 100).minor
    books[entity, AccountRole.CONTRACTUAL_ALLOWANCE, ""] += estimate
    books[entity, AccountRole.AR_ALLOWANCE, ""] -= estimate


class _Remitted:
    """Posts remittances; the first decision of each claim takes back what was expected of its contract."""

    def __init__(self, books: Books, scenario: Scenario, originals: Iterable[ReceivedClaim]) -> None:
        self._books = books
        self._after = scenario.coverages_after
        self._expected = {
            (each.patient_control_number, each.payer_identifier): each.charge
            for each in originals
            if each.sequence == PRIMARY
        }

    def post(self, remittances: Iterable[Remittance]) -> None:
        for remittance in remittances:
            for paid in remittance.claims:
                self._claim(remittance, paid)
            for each in remittance.provider_adjustments:
                self._move(remittance, AccountRole.EFT_CLEARING, -each.amount)
                self._move(remittance, _ROLE_OF_PLB[each.code], each.amount)

    def _claim(self, remittance: Remittance, paid: PaidClaim) -> None:
        decision, claim = paid.decision, paid.decision.claim
        if decision.status in (FORWARDED_STATUS, PREDETERMINED_STATUS):
            return
        self._move(remittance, AccountRole.EFT_CLEARING, decision.paid)
        if claim.patient_control_number == UNKNOWN_PATIENT_CONTROL_NUMBER:
            self._move(remittance, AccountRole.UNAPPLIED_PAYER, -decision.paid)
            return
        self._move(remittance, AccountRole.AR_PAYER, -decision.paid)
        charged = self._expected.pop((claim.patient_control_number, claim.payer_identifier), None)
        if charged is not None:
            _expect(self._books, remittance.entity.code, remittance.payer.code, -charged)
        for adjustment in decision.adjustments:
            self._adjust(remittance, claim.member_id, adjustment)

    def _adjust(self, remittance: Remittance, member_id: str, adjustment: Adjustment) -> None:
        if adjustment.group is AdjustmentGroup.OTHER:
            return
        self._move(remittance, AccountRole.AR_PAYER, -adjustment.amount)
        if adjustment.group is not AdjustmentGroup.PATIENT:
            self._move(remittance, _role_of_payers_adjustment(remittance, adjustment), adjustment.amount)
            return
        entity = remittance.entity.code
        after = self._after.get((remittance.payer.code, member_id))
        owing = (AccountRole.AR_PAYER, after[0]) if after else (AccountRole.AR_PATIENT, patient_party(entity))
        self._books[entity, *owing] += adjustment.amount.minor

    def _move(self, remittance: Remittance, role: AccountRole, amount: Money) -> None:
        party = remittance.payer.code if role in _RECEIVABLES else ""
        self._books[remittance.entity.code, role, party] += amount.minor


def _role_of_payers_adjustment(remittance: Remittance, adjustment: Adjustment) -> AccountRole:
    if adjustment.group is AdjustmentGroup.CONTRACTUAL:
        if adjustment.reason == SEQUESTRATION:
            return AccountRole.SEQUESTRATION
        if adjustment.reason in remittance.payer.contractual_reasons:
            return AccountRole.CONTRACTUAL_ALLOWANCE
    return AccountRole.AR_PAYER_DENIED
