"""What a control finds: two sides, what lies between them, and what of that is explained."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from pydantic import AwareDatetime

ITEMS_KEPT_MAX = 50
WRITTEN_OFF = "written off"


class Control(StrEnum):
    """Which balances are compared."""

    AR_PAYER = "ar-payer"
    AR_PAYER_DENIED = "ar-payer-denied"
    AR_PATIENT = "ar-patient"
    EFT_CLEARING = "eft-clearing"
    GATEWAY_CLEARING = "gateway-clearing"
    UNIDENTIFIED_RECEIPTS = "unidentified-receipts"
    DUE_TO_PAYER = "due-to-payer"
    UNAPPLIED_PAYER = "unapplied-payer"
    PROVIDER_LEVEL = "provider-level"
    TRIAL_BALANCE = "trial-balance"
    RCM_PLATFORM = "rcm-platform"


class Compared(StrEnum):
    """Which two sides: ours first, theirs second. A clearing account is compared with what it must be, zero."""

    BILLING_SUBLEDGER = "billing-subledger"
    SUBLEDGER_ERP = "subledger-erp"
    CONFIRMED_ERP = "confirmed-erp"
    ERP_ZERO = "erp-zero"
    BILLING_PLATFORM = "billing-platform"


class Verdict(StrEnum):
    """In motion: the two sides differ, but the books moved while they were read, so nobody can say yet."""

    AGREES = "agrees"
    EXPLAINED = "explained"
    IN_MOTION = "in-motion"
    BROKEN = "broken"


class Place(CanonicalModel):
    """Where two sides are compared; each place has at most one break at a time."""

    control: Control
    compared: Compared
    entity: Public[str]
    account: Public[str] = ""
    party: Public[str] = ""

    @property
    def break_id(self) -> UUID:
        return derive("break", self.control.value, self.compared.value, self.entity, self.account, self.party)


class ExplainingItem(CanonicalModel):
    """A part of a residual whose reason is known. `subject_id` is the claim, journal entry, remittance or payment."""

    reason: Public[str]
    amount: Money
    subject_id: UUID | None = None
    reference: Financial[str] = ""


class Divergence(CanonicalModel):
    """The earliest thing on which the two sides differ: what it is, its id, and by how much (ours minus theirs)."""

    what: Public[str]
    subject_id: UUID | None
    amount: Money
    note: Public[str] = ""


class ControlResult(CanonicalModel):
    """One comparison. What is left of the residual after the items is unexplained; `since` is when that was first seen."""

    place: Place
    ours: Money
    theirs: Money
    items: tuple[ExplainingItem, ...] = ()
    first_divergence: Divergence | None = None
    verdict: Verdict
    since: AwareDatetime | None = None

    @property
    def residual(self) -> Money:
        return self.ours - self.theirs

    @property
    def unexplained(self) -> Money:
        return self.residual - Money.total(item.amount for item in self.items)

    def seen(self, since: datetime, *, in_motion: bool) -> ControlResult:
        """The same unexplained difference, with when it was first seen, and whether it may still go away by itself."""
        return self.model_copy(update={"since": since, "verdict": Verdict.IN_MOTION if in_motion else Verdict.BROKEN})


def concluded(
    place: Place, ours: Money, theirs: Money, items: Iterable[ExplainingItem], divergences: Iterable[Divergence] = ()
) -> ControlResult:
    """The result of one comparison; broken where anything is left unexplained."""
    kept = bounded(item for item in items if item.amount)
    left = ours - theirs - Money.total(item.amount for item in kept)
    agreeing = Verdict.EXPLAINED if kept else Verdict.AGREES
    verdict = Verdict.BROKEN if left else agreeing
    first = next(iter(divergences), None) if left else None
    return ControlResult(place=place, ours=ours, theirs=theirs, items=kept, first_divergence=first, verdict=verdict)


def less_written_off(found: ControlResult, amount: Money) -> ControlResult:
    """The finding with what two people gave up before as an explanation; where the sides agree it has lapsed."""
    if not amount or not found.unexplained:
        return found
    item = ExplainingItem(reason=WRITTEN_OFF, amount=amount, subject_id=found.place.break_id)
    divergences = [found.first_divergence] if found.first_divergence else []
    return concluded(found.place, found.ours, found.theirs, [*found.items, item], divergences)


def bounded(items: Iterable[ExplainingItem]) -> tuple[ExplainingItem, ...]:
    """The largest items, and one that sums the others, so that a result stays readable and its total exact."""
    ordered = sorted(items, key=lambda item: (-abs(item.amount.minor), item.reason, str(item.subject_id)))
    kept, others = ordered[:ITEMS_KEPT_MAX], ordered[ITEMS_KEPT_MAX:]
    if others:
        total = Money.total(item.amount for item in others)
        kept.append(ExplainingItem(reason=f"{len(others)} smaller items", amount=total))
    return tuple(kept)
