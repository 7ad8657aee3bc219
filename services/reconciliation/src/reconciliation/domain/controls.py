"""The controls: pure functions from books to findings. What they cannot explain is a break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from canonical.money import Money

from reconciliation.domain.books import (
    AR_PATIENT,
    AR_PAYER,
    AR_PAYER_DENIED,
    DUE_TO_PAYER,
    EFT_CLEARING,
    GATEWAY_CLEARING,
    PROVIDER_LEVEL,
    UNAPPLIED_PAYER,
    UNIDENTIFIED_RECEIPTS,
    ZERO,
    Books,
    ClearingEntry,
    line_total,
)
from reconciliation.domain.drill_down import Difference, explained_by_cases
from reconciliation.domain.findings import (
    Compared,
    Control,
    ControlResult,
    Divergence,
    ExplainingItem,
    Place,
    concluded,
)

RECEIVABLES = {
    AR_PAYER: Control.AR_PAYER,
    AR_PAYER_DENIED: Control.AR_PAYER_DENIED,
    AR_PATIENT: Control.AR_PATIENT,
}
OF_PAYERS = {
    DUE_TO_PAYER: Control.DUE_TO_PAYER,
    UNAPPLIED_PAYER: Control.UNAPPLIED_PAYER,
    PROVIDER_LEVEL: Control.PROVIDER_LEVEL,
}
"""What payers put off, take or pay beside their claims; billing keeps it by remittance."""
WAITING = "journal entry not confirmed yet"
NO_DEPOSIT = "remittance without deposit"
NO_REMITTANCE = "deposit without remittance"
NOT_PAID_OUT = "payment not paid out yet"
NOT_SETTLED = "in no payout yet"
PAYMENT = "payment"
REMITTANCE_WAITS = "remittance not booked yet"


def receivable_places(books: Books) -> tuple[Place, ...]:
    """Billing against subledger, and subledger against ERP, for every receivable that anybody has a balance of."""
    keys = books.billing_side.keys() | books.subledger_side.keys() | books.erp_side.keys()
    known = sorted(key for key in keys if key[0] in books.entities and key[1] in RECEIVABLES)
    return tuple(
        Place(control=RECEIVABLES[account], compared=compared, entity=entity, account=account, party=party)
        for entity, account, party in known
        for compared in (Compared.BILLING_SUBLEDGER, Compared.SUBLEDGER_ERP)
    )


def payer_places(books: Books) -> tuple[Place, ...]:
    """Billing against subledger of every entity: what is due to payers, their unapplied cash, and what they took for good."""
    return tuple(
        Place(control=control, compared=Compared.BILLING_SUBLEDGER, entity=entity, account=account)
        for entity in books.entities
        for account, control in OF_PAYERS.items()
    )


def clearing_places(books: Books) -> tuple[Place, ...]:
    """The clearing accounts of every entity, and its deposits that nobody can name."""
    return tuple(
        Place(control=control, compared=Compared.ERP_ZERO, entity=entity, account=account)
        for entity in books.entities
        for control, account in (
            (Control.EFT_CLEARING, EFT_CLEARING),
            (Control.GATEWAY_CLEARING, GATEWAY_CLEARING),
            (Control.UNIDENTIFIED_RECEIPTS, UNIDENTIFIED_RECEIPTS),
        )
    )


def trial_balance_places(books: Books) -> tuple[Place, ...]:
    """Every account and party that our confirmed entries or the ERP know."""
    known = sorted(books.witnessed.confirmed.keys() | books.erp_side.keys())
    return tuple(
        Place(
            control=Control.TRIAL_BALANCE, compared=Compared.CONFIRMED_ERP, entity=entity, account=account, party=party
        )
        for entity, account, party in known
        if entity in books.entities
    )


def platform_places(books: Books) -> tuple[Place, ...]:
    """Billing against every external platform that reported balances of an entity's claims."""
    return tuple(
        Place(
            control=Control.RCM_PLATFORM,
            compared=Compared.BILLING_PLATFORM,
            entity=entity,
            account=AR_PAYER,
            party=platform,
        )
        for entity, platform in sorted(books.platform_sides)
    )


def sides_of(books: Books, place: Place) -> tuple[Money, Money]:
    """Ours and theirs."""
    key = (place.entity, place.account, place.party)
    subledger, erp = books.subledger_side.get(key, ZERO), books.erp_side.get(key, ZERO)
    match place.compared:
        case Compared.BILLING_SUBLEDGER:
            return books.billing_side.get(key, ZERO), subledger
        case Compared.SUBLEDGER_ERP:
            return subledger, erp
        case Compared.CONFIRMED_ERP:
            return books.witnessed.confirmed.get(key, ZERO), erp
        case Compared.ERP_ZERO:
            return erp, ZERO
        case Compared.BILLING_PLATFORM:
            return books.platform_sides.get((place.entity, place.party), (ZERO, ZERO))


def billing_against_subledger(books: Books, place: Place, found: Sequence[Difference]) -> ControlResult:
    """AR as billing sees it against AR as it was posted; open exceptions explain claims that were not posted."""
    ours, theirs = sides_of(books, place)
    items, left = explained_by_cases(found, books.cases)
    return concluded(place, ours, theirs, items, left)


def billing_against_platform(books: Books, place: Place, found: Iterable[Divergence] = ()) -> ControlResult:
    """What we hold open of a platform's claims against what it reported; nothing explains a difference but a person."""
    ours, theirs = sides_of(books, place)
    return concluded(place, ours, theirs, (), found)


def subledger_against_erp(books: Books, place: Place, divergences: Iterable[Divergence] = ()) -> ControlResult:
    """What was posted here against what the ERP holds; what is on its way explains the difference."""
    ours, theirs = sides_of(books, place)
    items = [
        ExplainingItem(
            reason=group.reason,
            amount=line_total(group.lines, place.account, place.party),
            subject_id=group.group_id,
        )
        for group in books.open_groups
        if group.entity == place.entity
    ]
    return concluded(place, ours, theirs, [*items, *on_their_way(books, place)], divergences)


def confirmed_against_erp(books: Books, place: Place, divergences: Iterable[Divergence] = ()) -> ControlResult:
    """What the ERP confirmed, as it was announced, against what it holds today."""
    ours, theirs = sides_of(books, place)
    items = [
        ExplainingItem(
            reason=f"at the ERP, and not confirmed: {journal.state}",
            amount=-line_total(books.held[journal.external_number].lines, place.account, place.party),
            subject_id=journal.journal_id,
            reference=journal.external_number,
        )
        for journal in books.pending
        if journal.entity == place.entity and journal.external_number in books.held
    ]
    return concluded(place, ours, theirs, items, divergences)


def on_their_way(books: Books, place: Place) -> Iterator[ExplainingItem]:
    """What unconfirmed entries move here and not at the ERP."""
    for journal in books.pending:
        if journal.entity != place.entity:
            continue
        document = books.held.get(journal.external_number)
        there = line_total(document.lines, place.account, place.party) if document else ZERO
        yield ExplainingItem(
            reason=f"{WAITING}: {journal.state}" + (f", {journal.reason}" if journal.reason else ""),
            amount=line_total(journal.lines, place.account, place.party) - there,
            subject_id=journal.journal_id,
            reference=journal.external_number,
        )


def clearing_against_zero(
    books: Books, place: Place, found: Sequence[Difference] = (), divergences: Iterable[Divergence] = ()
) -> ControlResult:
    """A clearing account is zero but for what is open: each open item, less what of it has not reached the ERP.

    `found` is where the ledger's items differ from what was announced; an open exception may explain that.
    """
    ours, theirs = sides_of(books, place)
    items = [_open_item(entry) for entry in _open_entries(books, place)]
    items += [item.model_copy(update={"amount": -item.amount}) for item in on_their_way(books, place)]
    if place.account == EFT_CLEARING:
        items += _remittances_not_booked(books, place.entity)
    waiting = {group.group_id for group in books.open_groups}
    excused, left = explained_by_cases([one for one in found if one.subject_id not in waiting], books.cases)
    items += [item.model_copy(update={"amount": -item.amount}) for item in excused]
    return concluded(place, ours, theirs, items, [*left, *divergences])


def _open_entries(books: Books, place: Place) -> Iterator[ClearingEntry]:
    known = books.not_paid_out if place.account == GATEWAY_CLEARING else books.witnessed.clearing
    for entry in known:
        if (entry.entity, entry.account) == (place.entity, place.account) and entry.amount:
            yield entry


def _open_item(entry: ClearingEntry) -> ExplainingItem:
    of_gateway = NOT_PAID_OUT if entry.kind == PAYMENT else f"{entry.kind} {NOT_SETTLED}"
    reason = {EFT_CLEARING: NO_DEPOSIT, UNIDENTIFIED_RECEIPTS: NO_REMITTANCE}.get(entry.account, of_gateway)
    return ExplainingItem(reason=reason, amount=entry.amount, subject_id=entry.item_id, reference=entry.reference)


def _remittances_not_booked(books: Books, entity: str) -> Iterator[ExplainingItem]:
    """An accepted remittance that waits for its last claim is not at the ERP, whether its deposit is or not."""
    for group in books.open_groups:
        payment = books.witnessed.payments_by_remittance.get(group.group_id)
        if group.entity == entity and payment is not None:
            yield ExplainingItem(
                reason=f"{REMITTANCE_WAITS}: {group.reason}", amount=-payment, subject_id=group.group_id
            )


def posted_and_not_entered(books: Books, place: Place) -> Money:
    """What was posted to the subledger and is neither in a journal entry nor on its way into one; zero when all is well."""
    key = (place.entity, place.account, place.party)
    waiting = Money.total(
        line_total(group.lines, place.account, place.party)
        for group in books.open_groups
        if group.entity == place.entity
    )
    return books.subledger_side.get(key, ZERO) - waiting - books.intended_side.get(key, ZERO)
