"""Payments on a store in memory, with a gateway that says what it is told to say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from canonical.codes import PayerClass
from canonical.envelope import Envelope, PublicEvent
from canonical.events.claims import ClaimAdjudicated
from canonical.events.intake import RemittanceChunkReceived, RemittanceReceived
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.eventstore import EventStore, Row, Table
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging import Delivery
from chassis.testing.clock import FixedClock
from payments.application.doors import Doors
from payments.application.price_concessions import Portfolios
from payments.domain.payment import STRIPE
from payments.main import NO_PORTFOLIOS, SHAPE, assemble

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT, claim_payment
from .fake_gateway import FakeGateway


class World:
    """One payments service, in memory unless another store is given."""

    def __init__(self, store: EventStore | None = None, portfolios: Portfolios = NO_PORTFOLIOS) -> None:
        self.clock = FixedClock()
        self.memory = MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
        self.store: EventStore = store or self.memory
        self.gateway = FakeGateway()
        self.core = assemble(
            self.store,
            self.clock,
            self.gateway,
            gateways={STRIPE: self.gateway},
            portfolios=portfolios,
            loose_after=timedelta(hours=1),
        )
        numbers = random.Random(7)
        self.sealer = Sealer(MemoryKeyStore(numbers.randbytes))
        self.doors = Doors(self.store, self.sealer, self.clock, "NORTH")

    def deliver(self, *messages: Delivery) -> None:
        for upstream, consumer in self.core.consumers.items():
            mine = [message for message in messages if message.subject.startswith(f"billing.{upstream}.")]
            for start in range(0, len(mine), 3):
                touched = consumer.handle(mine[start : start + 3]).touched
                consumer.release(touched)
            consumer.release()

    def sweep(self) -> None:
        for sweep in self.core.sweeps:
            for _ in range(50):
                if not sweep.run():
                    break

    def rows(self, table: Table, **where: object) -> list[Row]:
        return self.store.rows(table, where, order=table.key)

    def open_cases(self) -> list[str]:
        return sorted(str(row["code"]) for row in self.store.rows(CASES, {"state": "open"}))

    def state(self, *tables: Table) -> list[list[Row]]:
        """The rows of the read models, without the instants that depend on the order of arrival."""
        hidden = ("accepted_at", "recorded_at", "announced_at", "ordinal")
        found = []
        for table in tables:
            rows = [{k: v for k, v in row.items() if k not in hidden} for row in self.rows(table)]
            found.append(sorted(rows, key=str))
        return found


def delivery(event: PublicEvent, key: UUID, sequence: int = 1, ordinal: int = 0) -> Delivery:
    """The message of an event as its stream gives it."""
    identity = derive("test-event", event.TYPE, key, sequence, ordinal)
    envelope = Envelope.model_validate(
        {
            "id": identity,
            "service": event.SERVICE,
            "type": event.TYPE,
            "key": key,
            "sequence": sequence,
            "ordinal": ordinal,
            "time": "2026-03-02T09:00:00+00:00",
            "correlation_id": identity,
            "causation_id": identity,
            "actor": "test",
        }
    )
    return Delivery(envelope.subject, envelope.to_headers(), event.model_dump_json().encode())


def remittance(head: RemittanceSummary, *claims: ClaimPayment) -> Sequence[Delivery]:
    """Head and only chunk of one copy of a remittance, which pays one claim unless others are given."""
    chunk = RemittanceChunkReceived(
        remittance_id=head.remittance_id,
        receipt_id=head.receipt_id,
        chunk=0,
        claims=claims or (claim_payment(paid=head.total_paid.minor),),
        total_paid=head.total_paid,
    )
    return (
        delivery(RemittanceReceived(summary=head), head.receipt_id, 1),
        delivery(chunk, head.receipt_id, 2),
    )


def adjudication(patient_share: int = 2500, position: int = 0, **changes: object) -> Delivery:
    event = ClaimAdjudicated(
        claim_id=CLAIM,
        encounter_id=ENCOUNTER,
        posting=1,
        patient_id=PATIENT,
        entity="NORTH",
        payer="ACME",
        payer_class=PayerClass.COMMERCIAL,
        remittance_id=derive("remittance", "1999", "TRACE1"),
        remittance_position=position,
        effective_date=DAY,
        first=True,
        denied=False,
        charge=Money(10000),
        paid=Money(10000 - patient_share),
        patient_responsibility=Money(patient_share),
        adjustments=(),
        service_from=DAY,
    ).model_copy(update=changes)
    return delivery(event, CLAIM, position + 1, event.match)
