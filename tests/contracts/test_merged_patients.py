"""Merging is a layer: merge, any activity and parting give every patient the balance of a world that never merged."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

import grpc
from billing.payments.v1 import payments_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from canonical.party import PatientDetails
from chassis.eventstore import transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.keys import MemoryKeyStore, Sealer
from chassis.merged_patients import PATIENT_MERGES, group_of
from chassis.messaging import Delivery
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import SimulatedStream
from chassis.rpc import NotThere
from chassis.testing import FixedClock, context
from hypothesis import given, settings
from hypothesis import strategies as st
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    ChargesComplete,
    ChargeSeen,
    CoverageSeen,
    EncounterSeen,
    Fact,
    Link,
    PatientPaymentSeen,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of
from intake.main import SHAPE as INTAKE
from intake.main import assemble as assemble_intake
from payments.adapters.grpc import Payments
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.main import SHAPE as PAYMENTS
from payments.main import assemble as assemble_payments
from sandbox.world.known_world import sandbox_master_data

NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
DAY, SOURCE, ENTITY = date(2026, 2, 6), "ehr-north", "NORTH"
PATIENTS = ("A", "B", "C")
NO_CONTEXT = cast(grpc.ServicerContext, None)
IDS = {name: patient_id_of(SOURCE, name) for name in PATIENTS}
Balances = dict[str, tuple[int, int, list[int]]]


@dataclass(frozen=True)
class Visit:
    """A self-pay visit of a patient; `again` times its message comes once more, under the number the person has then."""

    patient: str
    number: int
    cents: int


@dataclass(frozen=True)
class Paid:
    patient: str
    number: int
    cents: int


@dataclass(frozen=True)
class Reported:
    """Money that a front desk, or an external platform, took from a patient: at one of its visits, or at none."""

    patient: str
    number: int
    cents: int
    visit: int | None = None


@dataclass(frozen=True)
class Merged:
    survivor: str
    retired: str
    minutes: int | None = None


@dataclass(frozen=True)
class Parted:
    survivor: str
    retired: str
    minutes: int | None = None


Step = Visit | Paid | Reported | Merged | Parted


class NoGateway:
    def balance_transactions(self, payout_gateway_id: str) -> list[object]:
        raise AssertionError("nothing is paid out here")


@dataclass
class World:
    """Intake and payments in memory, with a stream between them that repeats and reorders; `merging` or deaf to merges."""

    merging: bool
    luck: random.Random
    sent: int = 0
    relayed: int = 0
    received: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = FixedClock(NOW)
        self.store = MemoryEventStore(INTAKE.registry(), INTAKE.all_projections)
        self.books = MemoryEventStore(PAYMENTS.registry(), PAYMENTS.all_projections)
        sealer = Sealer(MemoryKeyStore(random.Random(1).randbytes))
        self.intake = assemble_intake(self.store, clock, sealer, sandbox_master_data)
        self.payments = assemble_payments(self.books, clock, NoGateway())  # type: ignore[arg-type]
        self.stream = SimulatedStream()
        self.relay = Relay(INTAKE.name, self.store, self.stream, INTAKE.publishing)
        for name in PATIENTS:
            details = PatientDetails(family_name=name * 4, given_name=name * 5, birth_date=NOW.date(), sex="U")
            self.say(PatientSeen("PID", IDS[name], details))

    def say(self, *facts: Fact) -> bool:
        """One message; whether it was accepted."""
        self.sent += 1
        key = f"m{self.sent}"
        delivery = InboundDelivery(
            SOURCE, key, "hl7v2", key.encode(), "test", facts=facts, patient=Link(id=IDS["A"]), entity=ENTITY
        )
        return self.intake.messages.receive([delivery])[0].accepted

    def step(self, step: Step) -> None:
        match step:
            case Visit():
                assert self.say(*_visit(step, step.patient)), "a visit under the patient's own number is taken"
                person = self.person_of(step.patient)
                assert self.say(*_visit(step, person)), "and again under the number that the person has now"
            case Reported():
                assert self.say(_reported(step, step.patient)), "money under the patient's own number is taken"
                assert self.say(_reported(step, self.person_of(step.patient))), "and again under the person's number"
            case Paid():
                self.pay(step)
            case Merged() | Parted() if self.merging:
                kind = PatientsMerged if isinstance(step, Merged) else PatientsUnmerged
                said_at = None if step.minutes is None else NOW + timedelta(minutes=step.minutes)
                self.say(kind("MRG", Link(id=IDS[step.survivor]), Link(id=IDS[step.retired]), said_at))
            case _:
                pass

    def person_of(self, patient: str) -> str:
        names = {identity: name for name, identity in IDS.items()}
        return names[group_of(self.store, IDS[patient])[0]]

    def pay(self, step: Paid) -> None:
        account_id = account_id_of(ENTITY, IDS[step.patient])
        transact(
            self.books,
            context(),
            lambda work: work.get_or_new(PatientAccount, account_id).receive(
                entity=ENTITY,
                patient_id=IDS[step.patient],
                payment_id=derive("payment", step.number),
                amount=Money(step.cents),
                on=DAY,
            ),
        )

    def deliver(self) -> None:
        """Everything that was announced, in any order, some of it twice; then whatever waited."""
        while self.relay.step():
            pass
        new = [Delivery(each.subject, each.headers, each.data) for each in self.stream.messages[self.relayed :]]
        self.relayed = len(self.stream.messages)
        again = self.luck.sample(self.received, min(2, len(self.received)))
        mixed = [*new, *new[:2], *again]
        self.luck.shuffle(mixed)
        self.received += new
        for message in mixed:
            self.payments.consumers["intake"].handle([message])
        self.payments.consumers["intake"].release()

    def part_everybody(self) -> None:
        for row in self.store.rows(PATIENT_MERGES, {}):
            if row["survivor_id"] is not None:
                survivor, retired = Link(id=row["survivor_id"]), Link(id=row["retired_id"])  # type: ignore[arg-type]
                assert self.say(PatientsUnmerged("PID", survivor, retired))
        self.deliver()

    def balances(self) -> Balances:
        """By patient: balance, unapplied cash, and the lines."""
        return {name: self.balance(name) for name in PATIENTS}

    def balance(self, patient: str) -> tuple[int, int, list[int]]:
        request = pb.GetPatientBalanceRequest(patient_id=str(IDS[patient]))
        try:
            told = Payments(self.payments, lambda: DAY).GetPatientBalance(request, NO_CONTEXT)
        except NotThere:
            return (0, 0, [])
        unapplied = sum(account.unapplied.minor for account in told.accounts)
        return (
            told.balance.minor,
            unapplied,
            sorted(line.amount.minor for line in told.activity if line.kind != "application"),
        )


def _visit(visit: Visit, under: str) -> tuple[Fact, ...]:
    number = f"V{visit.number}"
    encounter, patient = Link(id=encounter_id_of(SOURCE, number)), Link(id=IDS[under])
    provider = Link(code="PRV01")
    charge_id = charge_id_of(SOURCE, number)
    return (
        EncounterSeen(
            "PV1", encounter_id_of(SOURCE, number), patient, Link(code=ENTITY), "N-MAIN", provider, True, ("J02.9",)
        ),
        CoverageSeen("IN1", patient, encounter, Link()),
        ChargeSeen("FT1", charge_id, encounter, "99213", (), Decimal(1), Money(visit.cents), DAY, "FAMMED", provider),
        ChargesComplete("FT1", encounter),
    )


def _reported(paid: Reported, under: str) -> Fact:
    encounter = Link() if paid.visit is None else Link(id=encounter_id_of(SOURCE, f"V{paid.visit}"))
    identity = derive("test-reported", paid.number)
    amount = Money(paid.cents)
    return PatientPaymentSeen("FT1", identity, Link(id=IDS[under]), encounter, amount, "CASH", DAY, Link(code=ENTITY))


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    made: list[Step] = []
    pairs = st.tuples(st.sampled_from(PATIENTS), st.sampled_from(PATIENTS))
    for number in range(draw(st.integers(1, 20))):
        kind = draw(st.sampled_from(("visit", "paid", "reported", "merged", "merged", "parted", "parted")))
        one, other = draw(pairs)
        if kind == "visit":
            made.append(Visit(one, number, draw(st.integers(1, 50_000))))
        elif kind == "paid":
            made.append(Paid(one, number, draw(st.integers(1, 50_000))))
        elif kind == "reported":
            visits = [each.number for each in made if isinstance(each, Visit) and each.patient == one]
            visit = draw(st.none() | st.sampled_from(visits)) if visits else None
            made.append(Reported(one, number, draw(st.integers(1, 50_000)), visit))
        else:
            minutes = draw(st.none() | st.integers(0, 5))
            made.append((Merged if kind == "merged" else Parted)(one, other, minutes))
    return made


@settings(max_examples=60, deadline=None)
@given(story=steps(), seed=st.integers(0, 2**16))
def test_merge_activity_and_parting_leave_every_patient_with_the_balance_of_a_world_that_never_merged(
    story: list[Step], seed: int
) -> None:
    merging, plain = World(True, random.Random(seed)), World(False, random.Random(seed))
    for step in story:
        for world in (merging, plain):
            world.step(step)
            if seed % 2:
                world.deliver()
    for world in (merging, plain):
        world.deliver()
    apart = plain.balances()
    for name in PATIENTS:
        group = group_of(merging.store, IDS[name])
        assert set(group) == set(group_of(merging.books, IDS[name])), "payments knows the person as intake does"
        members = [each for each in PATIENTS if IDS[each] in group]
        told = merging.balance(name)
        assert told[0] == sum(apart[each][0] for each in members)
        assert told[1] == sum(apart[each][1] for each in members)
    merging.part_everybody()
    assert merging.balances() == apart
    assert merging.books.parked() == plain.books.parked() == []
