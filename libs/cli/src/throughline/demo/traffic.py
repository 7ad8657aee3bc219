"""What payers do after the first payment: overturn a denial, correct, take back, and carry what they want forward to zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from canonical.money import Money
from sandbox.world.adjudication import PayerRules, adjudicate
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.desk import ClaimFile
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.remittances import Remittance
from sandbox.world.revisions import Change, ChangeOrder
from sandbox.world.scenario import Scenario

RULES = PayerRules(sequestration_percent=2)


@dataclass(frozen=True, slots=True)
class Chain:
    """One payer at one entity that takes `taken_back` again, has too little to net it with `second`, and enough with `last`."""

    entity: str
    payer: str
    taken_back: str
    second: str
    last: str


@dataclass(slots=True)
class Followed:
    """The claims that the report follows, by the biller's number; empty where the story has none."""

    denied: str = ""
    corrected: str = ""
    chain: Chain | None = None


class Traffic:
    """Lets the payers change what they decided; every choice hangs on the scenario and the seed alone."""

    def __init__(self, clearinghouse: Clearinghouse, scenario: Scenario, seed: int, spared: Iterable[str]) -> None:
        self._clearinghouse = clearinghouse
        self._payers = clearinghouse.payers
        self._insured_twice = {member_id for _, member_id in scenario.coverages_after}
        self._seed = seed
        self._spared = frozenset(spared)
        self.followed = Followed()

    def pend(self) -> None:
        """Chooses the chain, and lets its payer take its time over the two claims that will net it."""
        self.followed.chain = chain = self._chain()
        if chain:
            for number in (chain.second, chain.last):
                self._file(number).is_pended = True

    def choose(self) -> Followed:
        """A denial to be overturned and a payment to be corrected, away from the chain."""
        files = [file for payer, entity, file in self._payers.claim_files() if self._is_free(payer, entity, file)]
        denied = [file for file in files if file.is_denied]
        paid = [file for file in files if file.paid and file.claim.member_id not in self._insured_twice]
        self.followed.denied = _largest(denied)
        self.followed.corrected = _largest(paid)
        return self.followed

    def change_minds(self, day: date) -> list[Remittance]:
        """The denial is overturned, the payment corrected, the chain's first payment taken back, and next payers pay."""
        followed = self.followed
        orders = {
            followed.denied: Change.OVERTURNED,
            followed.corrected: Change.REPRICED,
            followed.chain.taken_back if followed.chain else "": Change.RETRACTED,
        }
        for number, change in orders.items():
            if number:
                self._payers.change(number, ChangeOrder(change))
        return self._clearinghouse.settle(day)

    def run_down(self, day: date) -> list[Remittance]:
        """Two more payments of the chain's payer: the first is too small for what it wants back."""
        made: list[Remittance] = []
        if self.followed.chain:
            for later, number in enumerate((self.followed.chain.second, self.followed.chain.last)):
                self._file(number).is_pended = False
                made += self._clearinghouse.settle(day + timedelta(days=later))
        return made

    def may_change_otherwise(self, payer: str, entity: str, file: ClaimFile) -> bool:
        """Whether somebody else than the payer may change a decided claim without touching what is followed."""
        return self._is_free(payer, entity, file) and file.claim.member_id not in self._insured_twice

    def _is_free(self, payer: str, entity: str, file: ClaimFile) -> bool:
        """Whether it is decided, once, by a payer of which nothing else is told, and no other version of it waits."""
        is_apart = payer not in self._spared and not self._in_chain(entity, payer)
        return is_apart and len(file.standing) == 1 and not file.is_waiting

    def _in_chain(self, entity: str, payer: str) -> bool:
        chain = self.followed.chain
        return chain is not None and (entity, payer) == (chain.entity, chain.payer)

    def _file(self, number: str) -> ClaimFile:
        return next(file for _, _, file in self._payers.claim_files() if file.claim.patient_control_number == number)

    def _chain(self) -> Chain | None:
        """Where the second largest payment is largest: it dwarfs whatever else that payer may pay in the same week."""
        desks: dict[tuple[str, str], list[tuple[Money, str]]] = {}
        for payer, entity, file in self._payers.claim_files():
            paid = self._would_pay(payer, file)
            if paid and payer not in self._spared and file.claim.member_id not in self._insured_twice:
                desks.setdefault((entity, payer), []).append((paid, file.claim.patient_control_number))
        ranked = {place: sorted(payments) for place, payments in sorted(desks.items()) if len(payments) >= 3}
        if not ranked:
            return None
        place, payments = max(ranked.items(), key=lambda each: each[1][-2][0])
        return Chain(*place, taken_back=payments[-2][1], second=payments[0][1], last=payments[-1][1])

    def _would_pay(self, payer: str, file: ClaimFile) -> Money:
        row = next(each for each in sandbox_master_data().payers if each.code == payer)
        return adjudicate(file.claim, row, self._seed, RULES).paid


def _largest(files: Iterable[ClaimFile]) -> str:
    largest = max(files, key=lambda file: (file.claim.charge, file.claim.member_id), default=None)
    return largest.claim.patient_control_number if largest else ""
