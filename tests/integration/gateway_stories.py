"""The gateway's stories on a real suite: patients whose visit cost 100.00, webhooks over HTTP, payouts at the bank."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from random import Random

import httpx
from canonical.money import Money
from intake.domain.identities import patient_id_of
from payments.domain.patient_account import account_id_of
from sandbox.world.gateway import WEBHOOK_SECRET, CardGateway
from sandbox.world.scenario import Scenario, SimulatedEncounter, Wire
from sandbox.world.webhooks import signature_header

from tests.contracts.gateway_table import STORIES
from tests.contracts.gateway_till import ENTITY, GatewayStory, Journals, Till
from tests.integration.suite import OpenStack

SECRET_BEFORE = "whsec_the_one_before"
SOURCE = "ehr-north"
TRIES_MAX = 50
ACCOUNTS = """
SELECT responsibility_minor - applied_minor, applied_minor, unapplied_minor FROM patient_accounts WHERE account_id = %s
"""
BOOKED = """
SELECT l.rules, l.account, sum(l.amount_minor)::bigint FROM subledger_lines l JOIN subledger_postings p USING (posting_id)
WHERE l.patient_id = %s OR p.item_id = ANY(%s) GROUP BY 1, 2
"""
CASES = "SELECT code FROM exception_cases WHERE state IN ('open', 'assigned') AND subject_id = ANY(%s)"
TIED = "SELECT gateway_id FROM payouts WHERE deposit_id IS NOT NULL AND gateway_id = ANY(%s)"


class Way(StrEnum):
    """How a story's webhooks come."""

    IN_ORDER = "in order"
    BACKWARDS = "backwards, each twice, signed with the secret before"
    SHUFFLED = "shuffled, with repetitions, forged ones between"
    THIN = "by thin events that name what to ask for"


@dataclass
class Row:
    """One row of the table: a story, the way in which it is told, and a patient of its own."""

    name: str
    story: GatewayStory
    way: Way
    visit: SimulatedEncounter
    till: Till

    def post(self, door: str, http: httpx.Client) -> list[int]:
        """Tells it; the answers."""
        dice = Random(self.name)
        told, secret = list(self.till.webhooks), WEBHOOK_SECRET
        if self.way is Way.BACKWARDS:
            told, secret = [body for body in reversed(told) for _ in range(2)], SECRET_BEFORE
        elif self.way is Way.SHUFFLED:
            told += dice.choices(told, k=len(told))
            dice.shuffle(told)
        elif self.way is Way.THIN:
            told = [thin(body) for body in told]
        answers = []
        for body in told:
            if self.way is Way.SHUFFLED:
                assert sent(http, door, body, signed(body, "whsec_of_nobody")) == 401
            answers.append(sent(http, door, body, signed(body, secret)))
        return answers


def thin(body: bytes) -> bytes:
    """The event without its object: what it is about, and when."""
    event = json.loads(body)
    subject = event["data"]["object"]
    told = {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": datetime.fromtimestamp(event["created"], UTC).isoformat(),
        "related_object": {"id": subject["id"], "type": subject["object"]},
    }
    return json.dumps(told).encode()


def signed(body: bytes, secret: str, seconds_off: int = 0) -> str:
    return signature_header(body, secret, int(time.time()) + seconds_off)


def sent(http: httpx.Client, door: str, body: bytes, signature: str) -> int:
    """The answer; a door that is busy is asked again, as the gateway does."""
    for _ in range(TRIES_MAX):
        status = http.post(door, content=body, headers={"Stripe-Signature": signature}).status_code
        if status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.1)
    return status


def visits(today: date, count: int) -> list[SimulatedEncounter]:
    """Self-pay visits to NORTH of 100.00 each, each of another patient."""
    told = Scenario.tell(41, 40, today).encounters
    like = next(each for each in told if each.wire is Wire.FHIR and each.entity == ENTITY)
    charge = replace(like.charges[0], units=1, unit_amount=Money(100_00), amount=Money(100_00))
    return [
        replace(
            like,
            ordinal=number,
            visit_number=f"VGS{number:06d}",
            patient=replace(like.patient, mrn=f"MRNGS{number:06d}"),
            coverage=None,
            next_coverages=(),
            charges=(replace(charge, transaction_id=f"VGS{number:06d}-1"),),
        )
        for number in range(count)
    ]


def rows_of(gateway: CardGateway, today: date) -> list[Row]:
    """Every story in every way; what happens at the gateway has happened then."""
    plan = [(name, story, way) for name, story in STORIES.items() for way in Way]
    rows = []
    for number, ((name, story, way), visit) in enumerate(zip(plan, visits(today, len(plan)), strict=True)):
        till = Till(f"gs{number}", patient_id_of(SOURCE, visit.patient.mrn), gateway.book, gateway.later)
        story.happens(till)
        rows.append(Row(name, story, way, visit, till))
    return rows


@dataclass(frozen=True)
class Found:
    """What payments and the ledger say of each row."""

    suite: OpenStack

    def cents(self, row: Row) -> tuple[int, ...]:
        """Balance, applied and unapplied of the patient's account."""
        with self.suite.admin("payments") as store:
            found = store.execute(ACCOUNTS, [account_id_of(ENTITY, row.till.patient_id)]).fetchone()
        return tuple(int(str(cents)) for cents in found or ())

    def journals(self, row: Row) -> Journals:
        """What each rule booked on each account for the patient, and for what the gateway did."""
        with self.suite.admin("ledger") as store:
            lines = store.execute(BOOKED, [row.till.patient_id, row.till.ids]).fetchall()
        return Counter({(str(rule), str(account)): int(str(cents)) for rule, account, cents in lines})

    def cases(self, row: Row) -> list[str]:
        """Codes of what is left to people."""
        with self.suite.admin("payments") as store:
            return sorted(str(code) for (code,) in store.execute(CASES, [row.till.ids]))

    def payouts_at_the_bank(self, row: Row) -> list[str]:
        """The payouts that are tied to their deposits."""
        with self.suite.admin("payments") as store:
            return sorted(str(name) for (name,) in store.execute(TIED, [[each.id for each in row.till.paid_out]]))
