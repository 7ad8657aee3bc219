"""What one patient owes one entity, what was paid on it, and what was paid too early."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money

from payments.domain.account_facts import AccountFacts, TakenBack
from payments.domain.account_refusals import (
    AllocationChanged,
    CashChanged,
    MoreThanOwed,
    MoreThanTheCash,
    MoreThanWrittenOff,
    NoSuchLine,
    ResponsibilityChanged,
    WriteOffChanged,
)
from payments.domain.cash_spread import NOTHING, Cash, spread, used_of_each
from payments.domain.payer_words import LineOwed, PayerWord, ShareOrigin
from payments.domain.price_concession import NONE_EXPECTED, Expectation, allowances
from payments.domain.write_off_rules import GivenUp, WriteOffChange, WriteOffKind, standings

__all__ = ["PatientAccount", "TakenBack", "WriteOffKind", "account_id_of"]


def account_id_of(entity: str, patient_id: UUID) -> UUID:
    """The account of a patient at an entity."""
    return derive("patient-account", entity, patient_id)


class PatientAccount(AccountFacts):
    """After every fact the cash is spread anew over what is owed (`cash_spread`), and what stands of write-offs follows
    (`write_off_rules`); what that changes are events. So the balances follow from the facts, whatever came first.
    """

    def assign(
        self,
        *,
        entity: str,
        patient_id: UUID,
        source_id: UUID,
        claim_id: UUID | None,
        encounter_id: UUID,
        amount: Money,
        on: date,
        origin: ShareOrigin = ShareOrigin.CHARGES,
        word: PayerWord | None = None,
        lines: tuple[LineOwed, ...] = (),
    ) -> None:
        """Adds what one adjudication left to the patient, and spreads the cash over it; of one that left nothing, its word.

        Raises:
            ResponsibilityChanged: that adjudication is known with another amount.
        """
        known = self.owed.get(source_id)
        if known is not None:
            if known.amount != amount:
                raise ResponsibilityChanged(f"{source_id}: {known.amount}, now {amount}")
            return
        told: dict[str, object] = {
            "entity": entity,
            "patient_id": patient_id,
            "source_id": source_id,
            "claim_id": claim_id,
            "encounter_id": encounter_id,
            "effective_date": on,
            "word": word,
        }
        if word is not None and not amount:
            if source_id not in self.words:
                self.trigger_event(self.PayerHeard, **told)
            return
        self.trigger_event(self.ResponsibilityAssigned, **told, amount=amount, origin=origin, lines=lines)
        self._spread_anew(on)

    def receive(
        self, *, entity: str, patient_id: UUID, payment_id: UUID, amount: Money, on: date
    ) -> tuple[Money, Money]:
        """Takes a payment: what of it is applied at once, and what stays unapplied. The same payment again: nothing."""
        if payment_id in self.cash:
            return NOTHING, NOTHING
        held = {**self.cash, payment_id: Cash(amount, on)}
        applied = used_of_each(spread(self.entries, held, self.set_aside)).get(payment_id, NOTHING)
        self.trigger_event(
            self.PaymentReceived,
            entity=entity,
            patient_id=patient_id,
            payment_id=payment_id,
            applied=applied,
            unapplied=amount - applied,
            effective_date=on,
        )
        self._spread_anew(on)
        return applied, amount - applied

    def take_over(self, payment_id: UUID, amount: Money, on: date) -> None:
        """Takes cash that another account gives; what it pays is said of it afterwards, for no gateway announces it."""
        self.trigger_event(
            self.PaymentReceived,
            **self._owner(),
            payment_id=payment_id,
            applied=NOTHING,
            unapplied=amount,
            effective_date=on,
        )
        self._spread_anew(on)

    def take_back(self, payment_id: UUID, cause_id: UUID, *, reason: TakenBack, amount: Money, on: date) -> None:
        """Takes cash of one payment off the account, or gives it back below zero; the same cause again changes nothing.

        What the gateway took is taken also where the payment has less: its cash is below zero then.

        Raises:
            CashChanged: that cause is known with another amount.
        """
        known = self.taken_back.get(cause_id)
        if known is not None:
            if known != amount:
                raise CashChanged(f"{reason} {cause_id}: {known}, now {amount}")
            return
        self.trigger_event(
            self.CashTakenBack,
            **self._owner(),
            payment_id=payment_id,
            cause_id=cause_id,
            reason=reason,
            amount=amount,
            effective_date=on,
        )
        self._spread_anew(on)

    def write_off(self, write_off_id: UUID, *, kind: WriteOffKind, place: UUID, amount: Money, on: date) -> None:
        """Gives up what is owed at one claim or encounter; the same write-off again changes nothing.

        Raises:
            WriteOffChanged: that write-off is known with another amount.
            MoreThanOwed: less than that is owed there, or it is nowhere owed.
        """
        known = self.written_off.get(write_off_id)
        if known is not None:
            if known.amount != -amount:
                raise WriteOffChanged(f"write-off {write_off_id}: {-known.amount}, now {amount}")
            return
        owed = next((entry for entry in self.owed.values() if entry.place == place), None)
        if owed is None or not NOTHING < amount <= self.open_at(place):
            raise MoreThanOwed(f"{self.open_at(place)} is owed at {place}, not {amount}")
        given_up = GivenUp(kind, place, owed.encounter_id, amount, on)
        self._give_up(write_off_id, given_up, amount, on)
        self._spread_anew(on)

    def reverse_write_off(self, reversal_id: UUID, write_off_id: UUID, *, amount: Money, on: date) -> None:
        """Has it owed again, or a part of it; the same reversal again changes nothing.

        Raises:
            WriteOffChanged: that reversal is known with another amount.
            MoreThanWrittenOff: not so much of it stands.
        """
        known = self.written_off.get(reversal_id)
        if known is not None:
            if known.amount != amount:
                raise WriteOffChanged(f"reversal {reversal_id}: {known.amount}, now {amount}")
            return
        given_up = self.given_up.get(write_off_id)
        stands = given_up.stands if given_up else NOTHING
        if given_up is None or not NOTHING < amount <= stands:
            raise MoreThanWrittenOff(f"{stands} of write-off {write_off_id} stands, not {amount}")
        change = WriteOffChange.REVERSED
        self._give_up(reversal_id, given_up, -amount, on, of_write_off=write_off_id, change=change)
        self._spread_anew(on)

    def allocate(
        self, allocation_id: UUID, payment_id: UUID, *, target: UUID, amount: Money, on: date, line: str = ""
    ) -> None:
        """Sets cash of a payment aside for one claim or encounter, or a line of it, also before anything is owed there; zero
        ends that.

        Raises:
            AllocationChanged: that allocation is known for another payment or place.
            MoreThanTheCash: so much of the payment is not free.
            NoSuchLine: the lines of what is owed there are known, and this is none of them.
        """
        known = self.reserved.get(allocation_id)
        if line and (target, line) not in self.lines and any(place == target for place, _ in self.lines):
            raise NoSuchLine(f"nothing is owed for line {line} of {target}")
        if known is not None:
            if (known.payment_id, known.target, known.line) != (payment_id, target, line):
                raise AllocationChanged(f"allocation {allocation_id} is for another payment or place")
            if known.amount == amount:
                return
        held = self.cash.get(payment_id)
        others = (r.amount for i, r in self.reserved.items() if r.payment_id == payment_id and i != allocation_id)
        free = (held.amount if held else NOTHING) - Money.total(others)
        if amount < NOTHING or amount > max(free, NOTHING):
            raise MoreThanTheCash(f"{free} of payment {payment_id} is free, not {amount}")
        self.trigger_event(
            self.Allocated,
            **self._owner(),
            allocation_id=allocation_id,
            payment_id=payment_id,
            target=target,
            amount=amount,
            effective_date=on,
            line=line,
        )
        self._spread_anew(on)

    def expect_concession(self, place: UUID, expectation: Expectation, on: date) -> None:
        """Takes how much of the shares at a place is not expected to be paid; the same again changes nothing."""
        if self.expected.get(place, NONE_EXPECTED) == expectation:
            return
        self.trigger_event(
            self.ConcessionExpected,
            **self._owner(),
            place=place,
            portfolio=expectation.portfolio,
            percent=expectation.percent,
            from_days=expectation.from_days,
            effective_date=on,
        )
        self._follow_allowances(on)

    def _owner(self) -> dict[str, object]:
        return {"entity": self.entity, "patient_id": self.patient_id}

    def _give_up(self, identity: UUID, given_up: GivenUp, amount: Money, on: date, **of: object) -> None:
        self.trigger_event(
            self.WrittenOff,
            **self._owner(),
            write_off_id=identity,
            kind=given_up.kind,
            place=given_up.place,
            encounter_id=given_up.encounter_id,
            amount=amount,
            effective_date=on,
            **of,
        )

    def _settle_write_offs(self, on: date) -> None:
        """Says of each write-off what the last fact changed of what stands."""
        if not self.given_up:
            return
        wanted = standings(self.owed.values(), self.given_up, self.cash, self.set_aside)
        for write_off_id, standing in wanted.items():
            given_up = self.given_up[write_off_id]
            known = given_up.standing
            for change, amount in (
                (WriteOffChange.LAPSED, known.lapsed - standing.lapsed),
                (WriteOffChange.RECOVERED, known.recovered - standing.recovered),
            ):
                if amount:
                    identity = derive("write-off-change", write_off_id, given_up.changes + 1)
                    self._give_up(identity, given_up, amount, on, of_write_off=write_off_id, change=change)

    def _spread_anew(self, on: date) -> None:
        """Says what the last fact changed: of write-offs, then of each payment, first what stands free again."""
        self._settle_write_offs(on)
        wanted = used_of_each(self.parts)
        changes = [(wanted.get(payment_id, NOTHING) - used, payment_id) for payment_id, used in self.used.items()]
        for change, payment_id in sorted(changes, key=lambda entry: (entry[0].minor, entry[1].bytes)):
            if change:
                self.trigger_event(
                    self.UnappliedApplied,
                    **self._owner(),
                    payment_id=payment_id,
                    application=self.applications + 1,
                    amount=change,
                    effective_date=on,
                )
        self._follow_allowances(on)

    def _follow_allowances(self, on: date) -> None:
        """Says of each place by how much what is not expected to be paid changed."""
        if not self.expected:
            return
        wanted = allowances(self.owed.values(), self.written_off.values(), self.given_up, self.parts, self.expected)
        for place, allowed in wanted.items():
            change = allowed - self.allowances.get(place, NOTHING)
            if change:
                owed = next(entry for entry in self.owed.values() if entry.place == place)
                self.trigger_event(
                    self.AllowanceMoved,
                    **self._owner(),
                    place=place,
                    encounter_id=owed.encounter_id,
                    portfolio=self.expected[place].portfolio,
                    move=self.allowance_moves + 1,
                    amount=change,
                    effective_date=on,
                )
