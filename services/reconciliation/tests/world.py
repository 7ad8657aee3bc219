"""A small consistent world: billing, subledger, journal entries and ERPs that agree to the cent, and hands to spoil them with.

Two entities, two payers, twelve claims: paid with a contractual share and a patient's share, two of them denied; every
remittance is deposited but one; every patient pays but one; one payout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from canonical.codes import AccountRole
from canonical.envelope import Envelope, PublicEvent
from canonical.events.ledger import JournalConfirmed, JournalIntended
from canonical.events.payments import DepositMatched, PatientPaymentSucceeded, PayoutPaid, RemittanceAccepted
from canonical.ids import derive, external_number
from canonical.journal import JournalHead, JournalLine
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.domain import Unavailable
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging import Delivery
from chassis.testing import FixedClock
from reconciliation.application.ports import (
    AccountBalance,
    ClaimBalance,
    ClaimsReading,
    LedgerReading,
    PatientReading,
    Receivable,
    RemittancePart,
    ReportedBalance,
    Responsibility,
)
from reconciliation.application.queries import BREAKS
from reconciliation.application.use_cases import Reconciling
from reconciliation.domain.books import (
    GATEWAY_CLEARING,
    ClearingEntry,
    ErpBalance,
    ErpDocument,
    LedgerBalance,
    OpenCase,
    OpenGroup,
    PatientBalance,
    PayerBalance,
    PayerOverpayment,
    PendingJournal,
    PlatformBalance,
    Progress,
    ProviderBalance,
    patient_party,
)
from reconciliation.domain.findings import ControlResult
from reconciliation.domain.runs import ReconciliationRun
from reconciliation.main import SHAPE, assemble, reconciling_over

DAY = date(2026, 3, 2)
ENTITIES = ("NORTH", "SOUTH")
PAYERS = ("ACME", "UNITY")
Role = AccountRole


@dataclass
class ClaimFact:
    """What claims knows of one claim, in cents."""

    claim_id: UUID
    encounter_id: UUID
    patient_id: UUID
    entity: str
    payer: str
    on: date
    remittance_id: UUID
    charge: int = 10_000
    paid: int = 0
    contractual: int = 0
    patient: int = 0
    denied: int = 0

    @property
    def open(self) -> Money:
        return Money(self.charge - self.paid - self.contractual - self.patient - self.denied)


@dataclass
class ProviderMove:
    """One provider-level adjustment as payments keeps it, in cents; above zero it lowered the payment."""

    entity: str
    remittance_id: UUID
    cents: int
    of_items: bool = True


@dataclass
class PostedLine:
    """One subledger line, and the group that a journal entry takes it up with."""

    entity: str
    account: AccountRole
    party: str
    cents: int
    group: str
    item_id: UUID
    encounter_id: UUID | None = None
    patient_id: UUID | None = None
    on: date = DAY


@dataclass
class Entry:
    """One journal entry of ours."""

    journal_id: UUID
    entity: str
    kind: str
    group_id: UUID
    lines: tuple[JournalLine, ...]
    state: str = "confirmed"

    @property
    def number(self) -> str:
        return external_number(self.journal_id)

    @property
    def head(self) -> JournalHead:
        return JournalHead(
            journal_id=self.journal_id,
            entity=self.entity,
            kind=self.kind,
            effective_date=DAY,
            external_number=self.number,
            rules_version="test",
        )


def summed(lines: Iterable[PostedLine]) -> tuple[JournalLine, ...]:
    sums: dict[tuple[AccountRole, str], int] = {}
    for line in lines:
        sums[line.account, line.party] = sums.get((line.account, line.party), 0) + line.cents
    return tuple(
        JournalLine(account=account, party=party, amount=Money(cents))
        for (account, party), cents in sorted(sums.items())
        if cents
    )


@dataclass
class World:
    """All books but our own; they can be spoiled one by one. `positions` are those that the services answer with."""

    claims: list[ClaimFact] = field(default_factory=list)
    applied: dict[tuple[str, UUID], int] = field(default_factory=dict)
    lines: list[PostedLine] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    erp: dict[str, dict[str, tuple[JournalLine, ...]]] = field(default_factory=lambda: {e: {} for e in ENTITIES})
    not_paid_out: list[ClearingEntry] = field(default_factory=list)
    open_groups: list[OpenGroup] = field(default_factory=list)
    provider_moves: list[ProviderMove] = field(default_factory=list)
    overpayments: list[PayerOverpayment] = field(default_factory=list)
    reported: dict[tuple[str, str], list[ReportedBalance]] = field(default_factory=dict)
    unapplied: list[RemittancePart] = field(default_factory=list)
    cases: list[OpenCase] = field(default_factory=list)
    events: list[PublicEvent] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=lambda: {"claims": 10, "payments": 20, "ledger": 30})
    is_busy: bool = False
    is_erp_down: bool = False
    behind: set[str] = field(default_factory=set)

    def book(self, group: str, kind: str, group_id: UUID, entity: str) -> Entry:
        """Makes the journal entry of a group's lines, confirmed and at the ERP."""
        entry = Entry(
            derive("journal", group), entity, kind, group_id, summed(line for line in self.lines if line.group == group)
        )
        self.entries[group] = entry
        self.erp[entity][entry.number] = entry.lines
        self.events.append(JournalIntended(head=entry.head, lines=entry.lines, group_id=group_id))
        self.events.append(
            JournalConfirmed(head=entry.head, lines=entry.lines, erp="fake", erp_document=f"D-{entry.number}")
        )
        return entry

    def post(
        self, group: str, entity: str, debit: AccountRole, credit: AccountRole, cents: int, item: UUID, **facts: object
    ) -> None:
        """A debit and its credit; the receivable's party is the payer given, or the entity's patients."""
        for account, amount in ((debit, cents), (credit, -cents)):
            line = PostedLine(entity, account, _party(account, entity, facts), amount, group, item)
            for name in ("encounter_id", "patient_id", "on"):
                if name in facts:
                    setattr(line, name, facts[name])
            self.lines.append(line)

    def of(self, encounter_id: UUID) -> ClaimFact:
        return next(claim for claim in self.claims if claim.encounter_id == encounter_id)


def _party(account: AccountRole, entity: str, facts: Mapping[str, object]) -> str:
    if account in (Role.AR_PAYER, Role.AR_PAYER_DENIED):
        return str(facts["payer"])
    return patient_party(entity) if account is Role.AR_PATIENT else ""


def consistent_world() -> World:
    """Everything agrees; one remittance has no deposit, and one payment is not paid out."""
    world = World()
    number = 0
    for entity in ENTITIES:
        for payer in PAYERS:
            for _ in range(3):
                number += 1
                world.claims.append(_claim(number, entity, payer))
    for claim in world.claims:
        _charge(world, claim)
        _adjudicate(world, claim)
    for entity in ENTITIES:
        world.book(f"charges-{entity}", "charges", derive("batches", entity), entity)
        for payer in PAYERS:
            _remit(world, entity, payer, deposited=(entity, payer) != ("SOUTH", "UNITY"))
        _patients_pay(world, entity)
    return world


def _claim(number: int, entity: str, payer: str) -> ClaimFact:
    return ClaimFact(
        claim_id=derive("test-claim", number),
        encounter_id=derive("test-encounter", number),
        patient_id=derive("test-patient", number),
        entity=entity,
        payer=payer,
        on=DAY + timedelta(days=number),
        remittance_id=derive("test-remittance", entity, payer),
    )


def _charge(world: World, claim: ClaimFact) -> None:
    group = f"charges-{claim.entity}"
    world.post(
        group, claim.entity, Role.AR_PAYER, Role.GROSS_REVENUE, claim.charge, claim.encounter_id, **dimensions(claim)
    )


def _adjudicate(world: World, claim: ClaimFact) -> None:
    """Every third claim is denied, the others are paid with a contractual share and a patient's share."""
    if world.claims.index(claim) % 3 == 2:
        claim.denied = 10_000
    else:
        claim.paid, claim.contractual, claim.patient = 6_000, 2_500, 1_500
    post_adjudication(world, claim)


def post_adjudication(world: World, claim: ClaimFact) -> None:
    group = f"remittance-{claim.remittance_id}"
    for debit, cents in (
        (Role.EFT_CLEARING, claim.paid),
        (Role.CONTRACTUAL_ALLOWANCE, claim.contractual),
        (Role.AR_PATIENT, claim.patient),
        (Role.AR_PAYER_DENIED, claim.denied),
    ):
        if cents:
            world.post(group, claim.entity, debit, Role.AR_PAYER, cents, claim.remittance_id, **dimensions(claim))


def dimensions(claim: ClaimFact) -> dict[str, object]:
    return {
        "payer": claim.payer,
        "encounter_id": claim.encounter_id,
        "patient_id": claim.patient_id,
        "on": claim.on,
    }


def _remit(world: World, entity: str, payer: str, *, deposited: bool) -> None:
    remittance_id = derive("test-remittance", entity, payer)
    claims = [claim for claim in world.claims if claim.remittance_id == remittance_id]
    paid = sum(claim.paid for claim in claims)
    world.events.append(RemittanceAccepted(summary=summary(entity, payer, remittance_id, paid, len(claims))))
    world.book(f"remittance-{remittance_id}", "remittance", remittance_id, entity)
    if deposited:
        group = f"deposit-{remittance_id}"
        deposit_id = derive("test-deposit", remittance_id)
        world.post(group, entity, Role.CASH, Role.EFT_CLEARING, paid, remittance_id)
        world.events.append(
            DepositMatched(
                deposit_id=deposit_id,
                remittance_id=remittance_id,
                entity=entity,
                amount=Money(paid),
                effective_date=DAY,
            )
        )
        world.book(group, "deposit", deposit_id, entity)


def _patients_pay(world: World, entity: str) -> None:
    """Three of four patients pay; the first two payments are paid out, the third waits."""
    owing = [claim for claim in world.claims if claim.entity == entity and claim.patient][:3]
    for place, claim in enumerate(owing):
        payment_id = derive("test-payment", claim.claim_id)
        world.applied[entity, claim.patient_id] = claim.patient
        group = f"payment-{payment_id}"
        world.post(
            group,
            entity,
            Role.GATEWAY_CLEARING,
            Role.AR_PATIENT,
            claim.patient,
            payment_id,
            patient_id=claim.patient_id,
        )
        world.events.append(
            PatientPaymentSucceeded(
                payment_id=payment_id,
                entity=entity,
                patient_id=claim.patient_id,
                applied=Money(claim.patient),
                unapplied=Money(0),
                effective_date=DAY,
            )
        )
        world.book(group, "patient-payment", payment_id, entity)
        if place == 2:
            waiting = Money(claim.patient)
            world.not_paid_out.append(ClearingEntry(entity, GATEWAY_CLEARING, payment_id, "payment", waiting, DAY))
    _pay_out(world, entity, 3_000)


def _pay_out(world: World, entity: str, gross: int) -> None:
    payout_id = derive("test-payout", entity)
    group = f"payout-{entity}"
    world.post(group, entity, Role.CASH, Role.GATEWAY_CLEARING, gross - 90, payout_id)
    world.post(group, entity, Role.PROCESSING_FEES, Role.GATEWAY_CLEARING, 90, payout_id)
    world.events.append(
        PayoutPaid(
            payout_id=payout_id,
            entity=entity,
            gross=Money(gross),
            fees=Money(90),
            net=Money(gross - 90),
            effective_date=DAY,
        )
    )
    world.book(group, "payout", payout_id, entity)


def summary(entity: str, payer: str, remittance_id: UUID, paid: int, count: int) -> RemittanceSummary:
    return RemittanceSummary(
        remittance_id=remittance_id,
        receipt_id=derive("test-receipt", remittance_id),
        entity=entity,
        payer_id=payer,
        payer_identifier="1999",
        trace_number=f"TRACE-{entity}-{payer}",
        payment=Money(paid),
        payment_method="ACH",
        effective_date=DAY,
        claim_count=count,
        chunk_count=1,
        total_charge=Money(10_000 * count),
        total_paid=Money(paid),
        total_provider_adjustments=Money(0),
        content_hash="same",
        message_id=derive("test-message", remittance_id),
    )


class FakeClaims:
    """The books of claims."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, entities: Sequence[str]) -> ClaimsReading:
        balances = []
        for entity, payer in sorted({(claim.entity, claim.payer) for claim in self._world.claims}):
            claims = self.claims(entity, payer)
            opened, denied = Money.total(c.open for c in claims), Money.total(c.denied for c in claims)
            unapplied = Money.total(one.amount for one in self.unapplied(entity)) if payer == PAYERS[0] else Money(0)
            balances.append(PayerBalance(entity, payer, opened, denied, unapplied))
        chosen = tuple(one for one in balances if one.entity in entities)
        platforms = tuple(
            PlatformBalance(*key, Money.total(one.ours for one in all_), Money.total(one.theirs for one in all_))
            for key, all_ in self._world.reported.items()
            if key[0] in entities
        )
        return ClaimsReading(_progress(self._world, "claims"), chosen, platforms)

    def differing(self, entity: str, platform: str) -> Sequence[ReportedBalance]:
        return [one for one in self._world.reported.get((entity, platform), []) if one.ours != one.theirs]

    def claims(self, entity: str, payer: str) -> Sequence[ClaimBalance]:
        return [
            ClaimBalance(claim.claim_id, claim.encounter_id, claim.open, Money(claim.denied), claim.on)
            for claim in self._world.claims
            if (claim.entity, claim.payer) == (entity, payer)
        ]

    def unapplied(self, entity: str) -> Sequence[RemittancePart]:
        return self._world.unapplied if entity == "NORTH" else []

    def cases(self) -> Sequence[OpenCase]:
        return [case for case in self._world.cases if case.service == "claims"]


class FakePatients:
    """The books of payments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, entities: Sequence[str]) -> PatientReading:
        patients = tuple(
            PatientBalance(entity, Money.total(one.responsibility - one.applied for one in self.accounts(entity)))
            for entity in entities
        )
        waiting = tuple(one for one in self._world.not_paid_out if one.entity in entities)
        providers = tuple(self._provider(entity) for entity in entities)
        overpaid = tuple(self._world.overpayments)
        return PatientReading(_progress(self._world, "payments"), patients, waiting, providers, overpaid)

    def _provider(self, entity: str) -> ProviderBalance:
        own = [self.provider_adjustments(entity, of_items=of_items) for of_items in (True, False)]
        return ProviderBalance(entity, PAYERS[0], *(Money.total(one.amount for one in moves) for moves in own))

    def provider_adjustments(self, entity: str, *, of_items: bool) -> Sequence[RemittancePart]:
        return [
            RemittancePart(move.remittance_id, Money(move.cents), DAY)
            for move in self._world.provider_moves
            if (move.entity, move.of_items) == (entity, of_items)
        ]

    def accounts(self, entity: str) -> Sequence[AccountBalance]:
        return [
            AccountBalance(
                account_id=account_of(claim),
                patient_id=claim.patient_id,
                responsibility=Money(claim.patient),
                applied=Money(self._world.applied.get((entity, claim.patient_id), 0)),
            )
            for claim in self._world.claims
            if claim.entity == entity and claim.patient
        ]

    def responsibilities(self, account_id: UUID) -> Sequence[Responsibility]:
        return [
            Responsibility(
                derive("adjudication", claim.claim_id),
                claim.encounter_id,
                claim.claim_id,
                Money(claim.patient),
                claim.on,
            )
            for claim in self._world.claims
            if account_of(claim) == account_id
        ]

    def cases(self) -> Sequence[OpenCase]:
        return [case for case in self._world.cases if case.service == "payments"]


class FakeLedger:
    """The books of the ledger adapter and of the ERPs behind it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def entities(self) -> Sequence[str]:
        return sorted({line.entity for line in self._world.lines})

    def read(self, entities: Sequence[str]) -> LedgerReading:
        world = self._world
        if world.is_erp_down:
            raise Unavailable("the ERP is down")
        pending = tuple(
            PendingJournal(entry.journal_id, entry.number, entry.entity, entry.state, "", entry.lines)
            for entry in world.entries.values()
            if entry.state != "confirmed" and entry.entity in entities
        )
        return LedgerReading(
            progress=_progress(world, "ledger"),
            subledger=tuple(self._balances(entities)),
            open_groups=tuple(group for group in world.open_groups if group.entity in entities),
            pending=pending,
            erp={entity: _erp_balances(world.erp[entity].values()) for entity in entities},
        )

    def _balances(self, entities: Sequence[str]) -> Iterable[LedgerBalance]:
        posted: dict[tuple[str, str, str], int] = {}
        for line in self._world.lines:
            key = (line.entity, line.account.value, line.party)
            posted[key] = posted.get(key, 0) + line.cents
        intended: dict[tuple[str, str, str], int] = {}
        for entry in self._world.entries.values():
            for one in entry.lines:
                key = (entry.entity, one.account.value, one.party)
                intended[key] = intended.get(key, 0) + one.amount.minor
        for key in sorted(posted.keys() | intended.keys()):
            if key[0] in entities:
                yield LedgerBalance(*key, Money(posted.get(key, 0)), Money(intended.get(key, 0)))

    def receivables(self, entity: str, account: str, party: str) -> Sequence[Receivable]:
        return [
            Receivable(line.encounter_id, line.patient_id, Money(line.cents), line.on)
            for line in self._world.lines
            if (line.entity, line.account.value, line.party) == (entity, account, party)
        ]

    def clearing_items(self, entity: str, account: str) -> Sequence[ClearingEntry]:
        return [
            ClearingEntry(entity, account, line.item_id, "posting", Money(line.cents), line.on)
            for line in self._world.lines
            if (line.entity, line.account.value) == (entity, account)
        ]

    def erp_documents(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument]:
        held = self._world.erp[entity]
        return {number: ErpDocument(number, held[number]) for number in numbers if number in held}

    def cases(self) -> Sequence[OpenCase]:
        return [case for case in self._world.cases if case.service == "ledger"]


def account_of(claim: ClaimFact) -> UUID:
    return derive("test-account", claim.entity, claim.patient_id)


def _progress(world: World, service: str) -> Progress:
    if world.is_busy:
        world.positions[service] += 1
    return Progress(world.positions[service], settled=not world.is_busy, lags=service in world.behind)


def _erp_balances(documents: Iterable[Sequence[JournalLine]]) -> tuple[ErpBalance, ...]:
    sums: dict[tuple[str, str], Money] = {}
    for lines in documents:
        for line in lines:
            key = (line.account.value, line.party)
            sums[key] = sums.get(key, Money(0)) + line.amount
    return tuple(ErpBalance(account, party, amount) for (account, party), amount in sorted(sums.items()))


@dataclass
class Bench:
    """Reconciliation over a world, on a memory store where no other is given."""

    world: World
    clock: FixedClock = field(default_factory=FixedClock)
    pauses: int = 0
    patience: timedelta = timedelta(0)
    pause_seconds: float = 0

    store: MemoryEventStore | PostgresEventStore = field(
        default_factory=lambda: MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
    )

    def __post_init__(self) -> None:
        self.reconciling: Reconciling = reconciling_over(
            self.store,
            self.clock,
            FakeClaims(self.world),
            FakePatients(self.world),
            FakeLedger(self.world),
            entities=lambda: ENTITIES,
            pause=self._pause,
            patience=self.patience,
            backlog=lambda: int("reconciliation" in self.world.behind),
        )
        self.core = assemble(self.store, self.clock, self.reconciling)
        self.deliver(self.world.events)

    def _pause(self) -> None:
        self.pauses += 1
        self.clock.advance(seconds=self.pause_seconds)

    def deliver(self, events: Iterable[PublicEvent]) -> None:
        """Each event to its consumer, one batch a service."""
        given = [delivery(event) for event in events]
        for upstream, consumer in self.core.consumers.items():
            consumer.handle([one for one in given if f".{upstream}." in one.subject])

    def prove(self) -> tuple[ControlResult, ...]:
        """One proof, a minute later than the one before."""
        self.clock.advance(minutes=1)
        run_id = self.reconciling.run()
        events = self.store.load([run_id])[run_id].events
        completed = events[-1]
        assert isinstance(completed, ReconciliationRun.Completed)
        return completed.results

    def breaks(self) -> list[dict[str, object]]:
        return self.store.rows(BREAKS, {}, order=("control", "entity", "account", "party"))


def delivery(event: PublicEvent) -> Delivery:
    """The event as a consumer gets it; the same event has the same id."""
    body = event.model_dump_json()
    identity = derive("test-public-event", event.SERVICE, event.TYPE, body)
    envelope = Envelope(
        id=identity,
        service=event.SERVICE,
        type=event.TYPE,
        key=_key_of(event),
        sequence=1,
        time=FixedClock()(),
        correlation_id=identity,
        causation_id=identity,
        actor="test",
    )
    return Delivery(envelope.subject, envelope.to_headers(), body.encode())


def _key_of(event: PublicEvent) -> UUID:
    if isinstance(event, JournalIntended | JournalConfirmed):
        return event.head.journal_id
    if isinstance(event, RemittanceAccepted):
        return event.summary.remittance_id
    return derive("test-key", event.model_dump_json())


def replaced(lines: Sequence[JournalLine], place: int, **changes: object) -> tuple[JournalLine, ...]:
    """The lines with one of them changed."""
    changed = lines[place].model_copy(update=changes)
    return (*lines[:place], changed, *lines[place + 1 :])
