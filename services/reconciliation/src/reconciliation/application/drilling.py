"""Looks behind a residual: claim by claim, patient by patient, item by item, document by document; only where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money

from reconciliation.application.ports import Receivable
from reconciliation.application.queries import confirmed_journals, remittances_in_no_entry
from reconciliation.application.reading import Sources, documents_of
from reconciliation.domain.books import (
    AR_PATIENT,
    AR_PAYER,
    DUE_TO_PAYER,
    EFT_CLEARING,
    PROVIDER_LEVEL,
    PROVIDER_LEVEL_ACCOUNTS,
    UNAPPLIED_PAYER,
    UNIDENTIFIED_RECEIPTS,
    Books,
    ClearingEntry,
    ErpDocument,
)
from reconciliation.domain.controls import posted_and_not_entered
from reconciliation.domain.drill_down import (
    ConfirmedJournal,
    Difference,
    Entry,
    differences,
    journal_divergences,
    not_of_our_making,
)
from reconciliation.domain.findings import Compared, Divergence, Place

PATIENTS_MAX = 200
NOWHERE = derive("nobody")


class Drilling:
    """The details behind one set of books; what is asked of an ERP is asked once."""

    def __init__(self, sources: Sources, books: Books) -> None:
        self._sources = sources
        self._books = books
        self._journals: dict[str, tuple[ConfirmedJournal, ...]] = {}
        self._held: dict[str, Mapping[str, ErpDocument]] = {}

    def receivables(self, place: Place) -> tuple[Difference, ...]:
        """Where billing and subledger differ: claim by claim, or patient by patient."""
        theirs = self._sources.ledger.receivables(place.entity, place.account, place.party)
        if place.account == AR_PATIENT:
            return self._patients(place.entity, theirs)
        claims = self._sources.claims.claims(place.entity, place.party)
        ours = [
            Entry(
                key=claim.encounter_id,
                amount=claim.open if place.account == AR_PAYER else claim.denied,
                what="claim",
                subject_id=claim.claim_id,
                on=claim.service_from,
            )
            for claim in claims
        ]
        return differences(ours, [_encounter(row) for row in theirs])

    def _patients(self, entity: str, posted: Sequence[Receivable]) -> tuple[Difference, ...]:
        """First by patient, and then, for the patients that differ, by encounter and cash."""
        accounts = {account.patient_id: account for account in self._sources.patients.accounts(entity)}
        ours = [
            Entry(patient, account.responsibility - account.applied, "patient-account", account.account_id)
            for patient, account in accounts.items()
        ]
        apart = differences(ours, [_patient(row) for row in posted])
        patients = {patient for one in apart for patient in one.known_as if patient in accounts}
        details: list[Entry] = []
        for patient in sorted(patients, key=str)[:PATIENTS_MAX]:
            account = accounts[patient]
            details.append(Entry(patient, -account.applied, "patient-account", account.account_id))
            details.extend(
                Entry(
                    key=owed.encounter_id,
                    amount=owed.amount,
                    what="patient-responsibility",
                    subject_id=owed.source_id,
                    on=owed.on,
                    known_as=(account.account_id, *([owed.claim_id] if owed.claim_id else [])),
                )
                for owed in self._sources.patients.responsibilities(account.account_id)
            )
        theirs = [_encounter(row) for row in posted if row.patient_id in patients]
        strangers = [one for one in apart if not one.known_as & patients]
        return (*differences(details, theirs), *strangers)

    def remittances(self, place: Place) -> tuple[Difference, ...]:
        """Where billing and subledger differ on what payers move beside their claims: remittance by remittance."""
        if place.account == UNAPPLIED_PAYER:
            unapplied = self._sources.claims.unapplied(place.entity)
            ours = [Entry(one.remittance_id, -one.amount, "remittance", one.remittance_id, one.on) for one in unapplied]
        else:
            of_items = place.account == DUE_TO_PAYER
            moved = self._sources.patients.provider_adjustments(place.entity, of_items=of_items)
            ours = [Entry(one.remittance_id, one.amount, "remittance", one.remittance_id, one.on) for one in moved]
        accounts = PROVIDER_LEVEL_ACCOUNTS if place.account == PROVIDER_LEVEL else (place.account,)
        posted = [one for each in accounts for one in self._sources.ledger.clearing_items(place.entity, each)]
        return differences(ours, [Entry(one.item_id, one.amount, "remittance", one.item_id, one.on) for one in posted])

    def platform(self, place: Place) -> tuple[Divergence, ...]:
        """The claims of which a platform holds another balance, with both sides and the report that says so."""
        return tuple(
            Divergence(
                what="claim",
                subject_id=one.claim_id,
                amount=one.ours - one.theirs,
                note=f"ours {one.ours}; {place.party} {one.theirs} on {one.as_of}, in report {one.message_id}",
            )
            for one in self._sources.claims.differing(place.entity, place.party)
        )

    def clearing(self, place: Place) -> tuple[Difference, ...]:
        """Where the open items as announced and as posted differ."""
        announced = [one for one in self._books.witnessed.clearing if one.entity == place.entity]
        posted = self._sources.ledger.clearing_items(place.entity, place.account)
        ours = [_item(one) for one in announced if one.account == place.account]
        return differences(ours, [_item(one) for one in posted])

    def journals(self, place: Place, unexplained: Money) -> tuple[Divergence, ...]:
        """The entry that the ERP lacks, holds otherwise or holds elsewhere; never empty."""
        never_entered = () if place.compared is Compared.CONFIRMED_ERP else self._never_entered(place)
        own = self._confirmed(place.entity)
        found = journal_divergences(own, self._documents(place.entity), place.account, place.party)
        if found or never_entered:
            return (*never_entered, *found)
        return self._strangers(place.entity) or (not_of_our_making(unexplained),)

    def _never_entered(self, place: Place) -> tuple[Divergence, ...]:
        """Remittances of which no entry was ever announced; failing these, that the subledger is ahead of its entries."""
        waiting = {group.group_id for group in self._books.open_groups}
        remittances = tuple(
            Divergence(
                what="remittance",
                subject_id=remittance.item_id,
                amount=remittance.amount,
                note=f"accepted with {remittance.amount}, and in no journal entry",
            )
            for remittance in remittances_in_no_entry(self._sources.store, place.entity)
            if remittance.item_id not in waiting
        )
        left = posted_and_not_entered(self._books, place)
        if remittances or not left:
            return remittances
        return (Divergence(what="subledger", subject_id=None, amount=left, note="posted, and in no journal entry"),)

    def _strangers(self, entity: str) -> tuple[Divergence, ...]:
        """Entries of other entities that are booked in this one's books."""
        missing = [journal for other in self._others(entity) for journal in self._missing(other)]
        there = documents_of(self._sources.ledger, entity, [journal.external_number for journal in missing])
        return tuple(
            Divergence(
                what="journal-entry",
                subject_id=journal.journal_id,
                amount=Money(0),
                note=f"{journal.external_number}: an entry of another entity is in the books of {entity}",
            )
            for journal in missing
            if journal.external_number in there
        )

    def _others(self, entity: str) -> list[str]:
        return [other for other in self._every_entity if other != entity]

    @cached_property
    def _every_entity(self) -> tuple[str, ...]:
        return self._sources.all_entities()

    def _missing(self, entity: str) -> list[ConfirmedJournal]:
        held = self._documents(entity)
        return [journal for journal in self._confirmed(entity) if journal.external_number not in held]

    def _confirmed(self, entity: str) -> tuple[ConfirmedJournal, ...]:
        if entity not in self._journals:
            self._journals[entity] = confirmed_journals(self._sources.store, entity)
        return self._journals[entity]

    def _documents(self, entity: str) -> Mapping[str, ErpDocument]:
        if entity not in self._held:
            numbers = [journal.external_number for journal in self._confirmed(entity)]
            self._held[entity] = documents_of(self._sources.ledger, entity, numbers)
        return self._held[entity]


def _item(entry: ClearingEntry) -> Entry:
    gateway = "payout" if entry.kind.startswith("payout") else "payment"
    what = {EFT_CLEARING: "remittance", UNIDENTIFIED_RECEIPTS: "deposit"}.get(entry.account, gateway)
    return Entry(entry.item_id, entry.amount, what, entry.item_id, entry.on)


def _encounter(row: Receivable) -> Entry:
    key = row.encounter_id or row.patient_id or NOWHERE
    what = "encounter" if row.encounter_id else "patient"
    return Entry(key, row.amount, what, key, row.on, known_as=_ids(row.patient_id))


def _patient(row: Receivable) -> Entry:
    key = row.patient_id or NOWHERE
    return Entry(key, row.amount, "patient", key, row.on, known_as=_ids(row.encounter_id))


def _ids(*given: UUID | None) -> tuple[UUID, ...]:
    return tuple(one for one in given if one is not None)
