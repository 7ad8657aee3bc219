"""Claims that a remittance can pay: charged, submitted and on the books, put in through the services' own reactions.

Nothing here is timed, and no service runs meanwhile. It is the real path but for what would only cost time: NATS carries
nothing, and the 837 is neither validated nor sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import claims.main
import ledger_adapter.main
from canonical.codes import AccountRole
from canonical.encounter import ChargeLine, EncounterPhi
from canonical.envelope import Envelope
from canonical.events.intake import EncounterCharged
from canonical.ids import derive
from canonical.money import Money
from canonical.party import CoverageDetails, PatientDetails
from canonical.sealed import Sealed
from chassis.eventstore.postgres import PostgresEventStore
from chassis.keys import FileMasterKey, Sealer
from chassis.keys.postgres import PostgresKeyStore
from chassis.messaging import BatchConsumer
from chassis.messaging.delivery import Delivery
from chassis.runtime import ServiceShape
from claims.adapters.patient_details import SealedDetails
from claims.application.ports import BillableClaim
from claims.domain.claim_content import control_number_of_posting
from claims.domain.interchange_order import InterchangeOrder
from ledger_adapter.application.ports import Erp, UnknownEntity
from ledger_adapter.domain.period_calendar import LatePolicy
from sandbox.world.bulk import generate_remittance, made_up_claims
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.remittances import Remittance
from throughline.stack.composition import Stack
from throughline.stack.roster import KEYS_DATABASE

BATCH = 500
PAYER, ENTITY, DEPARTMENT, PROVIDER = "ACME", "NORTH", "N-FM", "PRV01"
POSTING = 1


@dataclass(frozen=True, slots=True)
class Owed:
    """Claims that wait for their payer, and the remittance that will pay them."""

    remittance: Remittance
    patients: tuple[UUID, ...]

    @property
    def claim_count(self) -> int:
        return len(self.remittance.claims)

    @property
    def paid(self) -> Money:
        return self.remittance.amount

    @property
    def patient_responsibility(self) -> Money:
        return Money.total(each.decision.patient_responsibility for each in self.remittance.claims)


def seed_claims(stack: Stack, count: int, *, seed: int) -> Owed:
    """So many claims of one payer, submitted, in the stores of claims and ledger; the databases are prepared already."""
    today = datetime.now(UTC).date()
    encounters = [derive("performance", seed, ordinal) for ordinal in range(count)]
    numbers = [control_number_of_posting(encounter, POSTING) for encounter in encounters]
    charged = list(_charged(encounters, numbers, seed, today))
    with _keys(stack) as keys, _store(stack, claims.main.SHAPE) as billing, _store(stack, _LEDGER) as books:
        sealer = Sealer(keys)
        core = claims.main.assemble(
            billing, _now, sandbox_master_data(), _Unvalidated(), SealedDetails(sealer), {"files": _Swallowed()}
        )
        ledger = ledger_adapter.main.assemble(books, _now, sandbox_master_data(), _NoErps())
        for start in range(0, count, BATCH):
            deliveries = _deliveries(sealer, charged[start : start + BATCH])
            _handle(core.consumers["intake"], deliveries)
            _handle(ledger.consumers["intake"], deliveries)
        for sweep in core.sweeps:
            while sweep.run():
                pass
    remittance = generate_remittance(count, today, seed=seed, payer_code=PAYER, control_numbers=numbers)
    return Owed(remittance, tuple(_patient_of(encounter) for encounter in encounters))


_LEDGER = ledger_adapter.main.SHAPE
_now = partial(datetime.now, UTC)


@contextmanager
def _keys(stack: Stack) -> Iterator[PostgresKeyStore]:
    with PostgresKeyStore(stack.database(KEYS_DATABASE).app_dsn, FileMasterKey(stack.master_key_file)) as keys:
        yield keys


def _store(stack: Stack, shape: ServiceShape) -> PostgresEventStore:
    dsn = stack.database(shape.name).app_dsn
    return PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables)


def _handle(consumer: BatchConsumer, deliveries: Sequence[Delivery]) -> None:
    handled = consumer.handle(deliveries)
    assert handled.done == len(deliveries), f"{consumer.name}: {handled}"


def _patient_of(encounter: UUID) -> UUID:
    return derive("performance-patient", encounter)


def _charged(encounters: Sequence[UUID], numbers: Sequence[str], seed: int, day: date) -> Iterator[EncounterCharged]:
    """What intake announces of each encounter; the details are sealed batch by batch, see `_sealed`."""
    payer = sandbox_master_data().payer(PAYER, day)
    for encounter, claim in zip(
        encounters, made_up_claims(len(numbers), seed, PAYER, ENTITY, day, numbers), strict=True
    ):
        lines = _charge_lines(encounter, claim)
        patient = _patient_of(encounter)
        yield EncounterCharged(
            encounter_id=encounter,
            posting=POSTING,
            entity=ENTITY,
            patient_id=patient,
            payer=PAYER,
            payer_class=payer.payer_class,
            rendering_provider=PROVIDER,
            service_from=lines[0].service_date,
            service_to=lines[0].service_date,
            charges=lines,
            total=Money.total(line.amount for line in lines),
            diagnosis_count=1,
            has_member_id=True,
            details=Sealed(key_id=patient, kind="encounter.v1", fact=encounter, ciphertext=b""),
            message_ids=(derive("performance-message", encounter),),
        )


def _charge_lines(encounter: UUID, claim: ReceivedClaim) -> tuple[ChargeLine, ...]:
    return tuple(
        ChargeLine(
            charge_id=derive("performance-charge", encounter, number),
            procedure_code=line.procedure_code,
            modifiers=line.modifiers,
            amount=line.charge,
            service_date=datetime.strptime(line.service_date, "%Y%m%d").date(),
            department=DEPARTMENT,
        )
        for number, line in enumerate(claim.lines, 1)
    )


def _deliveries(sealer: Sealer, charged: Sequence[EncounterCharged]) -> list[Delivery]:
    """The messages that intake's relay would have published, under keys made in one go."""
    phi = _details()
    sealed = sealer.seal_many((phi, each.patient_id, "encounter.v1", each.encounter_id) for each in charged)
    deliveries = []
    for event, details in zip(charged, sealed, strict=True):
        message = event.model_copy(update={"details": details})
        envelope = Envelope(
            id=derive("performance-event", event.encounter_id),
            service=event.SERVICE,
            type=event.TYPE,
            key=event.encounter_id,
            sequence=1,
            time=_now(),
            correlation_id=event.encounter_id,
            causation_id=event.encounter_id,
            actor="benchmark",
            tier="sealed",
        )
        deliveries.append(Delivery(envelope.subject, envelope.to_headers(), message.model_dump_json().encode()))
    return deliveries


def _details() -> EncounterPhi:
    patient = PatientDetails(family_name="Sample", given_name="Sam", birth_date=date(1980, 1, 1), sex="U")
    return EncounterPhi(patient=patient, coverage=CoverageDetails(member_id="M1"), diagnosis_codes=("J069",))


class _Unvalidated:
    """A claim format that writes only a claim count: pyx12 validates some hundred claims a second."""

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        return f"{order.control_number} {len(claims)}".encode()

    write_validated = write


class _Swallowed:
    """A transport that sends to nobody."""

    def probe(self, name: str) -> str | None:
        return None

    def send(self, name: str, content: bytes) -> None:
        """Nobody is told: the payer of these claims is `generate_remittance`."""


class _NoErps:
    """A directory for the time when nothing is posted."""

    def of(self, entity: str) -> Erp:
        raise UnknownEntity(f"no ERP for {entity} while claims are seeded")

    def name_of(self, entity: str) -> str:
        return ""

    def late_policy(self, entity: str) -> LatePolicy:
        return LatePolicy.HOLD

    def presents_credit_balances(self, entity: str) -> bool:
        return False

    def account_code(self, entity: str, account: AccountRole) -> str:
        return ""

    def names(self) -> Sequence[str]:
        return ()

    def entities(self) -> Sequence[str]:
        return ()
