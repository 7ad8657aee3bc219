"""Bad input through the real doors: refused by name, counted, put before a person where one must act, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
import pytest
from sandbox.world.ehr import DeliveryKind, delivery_of, send_mllp
from sandbox.world.file_drop import BANK_INBOUND, INTAKE_INBOUND, Exchange, drop
from sandbox.world.gateway import WEBHOOK_SECRET
from sandbox.world.scenario import UNKNOWN_PAYER_CODE, Scenario, SimulatedEncounter, Wire
from sandbox.world.webhooks import signature_header

from tests.integration.state import facts_of
from tests.integration.story import Story, differences, until
from tests.integration.suite import OpenStack, broken_promises, member_named

pytestmark = [pytest.mark.servers, pytest.mark.slow]

CASES = "SELECT count(*) FROM exception_cases"
MEBIBYTE = 1024 * 1024
STRANGERS = 4711


@dataclass
class Doors:
    """The doors of intake and payments, as whoever stands before them sees them."""

    suite: OpenStack

    def bundle(self, content: bytes, *, token: str | None = None) -> httpx.Response:
        sent = self.suite.suite.tokens.token("ehr") if token is None else token
        headers = {"Content-Type": "application/fhir+json"} | ({"Authorization": f"Bearer {sent}"} if sent else {})
        url = f"http://{self.suite.address('intake', 'http')}/fhir"
        return httpx.post(url, content=content, headers=headers, timeout=30, trust_env=False)

    def hl7(self, message: bytes) -> bytes:
        host, _, port = self.suite.address("intake", "mllp").rpartition(":")
        (reply,) = asyncio.run(send_mllp(host, int(port), [message]))
        return reply

    def webhook(self, content: bytes, *, secret: str = WEBHOOK_SECRET, age_seconds: int = 0) -> httpx.Response:
        url = f"http://{self.suite.address('payments', 'http')}/webhooks/stripe"
        signature = signature_header(content, secret, int(time.time()) - age_seconds)
        return httpx.post(url, content=content, headers={"Stripe-Signature": signature}, timeout=30, trust_env=False)

    def file(self, folder: str, name: str, content: bytes) -> None:
        drop(Exchange(self.suite.exchange).folder(folder), name, content)

    def refusals(self, service: str) -> Counter[str]:
        """How often each door of a service has refused, by door and code, whichever of its processes has the door."""
        apart = ["calls-ops"] if member_named(service).calls_apart else []
        found: Counter[str] = Counter()
        for ops in ("ops", *apart):
            text = httpx.get(f"http://{self.suite.address(service, ops)}/metrics", timeout=5, trust_env=False).text
            for line in text.splitlines():
                if line.startswith("throughline_door_refusals_total{"):
                    found[line.rpartition(" ")[0]] += int(float(line.rpartition(" ")[2]))
        return found


@pytest.fixture
def doors(told: Story, suite: OpenStack) -> Doors:
    """Doors of a suite that has been told the story."""
    return Doors(suite)


def encounter(ordinal: int, wire: Wire) -> SimulatedEncounter:
    """An encounter of a story of its own."""
    found = Scenario.tell(STRANGERS, 20, datetime.now(UTC).date()).encounters[ordinal]
    return replace(found, wire=wire)


def fhir_of(wanted: SimulatedEncounter) -> bytes:
    delivery = delivery_of(wanted)
    assert delivery.kind is DeliveryKind.BUNDLE
    return delivery.messages[0]


def with_no_family_name(content: bytes) -> bytes:
    bundle = json.loads(content)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["name"] = [{"given": ["Nameless"]}]
    return json.dumps(bundle).encode()


BAD_BUNDLES: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "cut off": (lambda content: content[: len(content) // 2], 400),
    "no bundle": (lambda content: b'{"resourceType": "Basket"}', 422),
    "no resource inside": (lambda content: content.replace(b'"Patient"', b'"Person"', 1), 422),
    "no family name": (with_no_family_name, 422),
    "not text": (lambda content: b"\xff\xfe" + content, 400),
    "too large": (lambda content: content + b" " * (17 * MEBIBYTE), 413),
}


@pytest.mark.parametrize("fault", BAD_BUNDLES)
def test_a_bad_bundle_is_refused_by_rule_and_counted(doors: Doors, fault: str) -> None:
    spoil, status = BAD_BUNDLES[fault]
    before, facts = doors.refusals("intake"), facts_of(doors.suite)
    answer = doors.bundle(spoil(fhir_of(encounter(0, Wire.FHIR))))
    assert answer.status_code == status, answer.text[:300]
    assert doors.refusals("intake") != before
    moved = differences(facts, facts_of(doors.suite)).keys()
    assert moved <= {"intake: files not accepted", "intake: messages", "intake: cases"}
    assert encounter(0, Wire.FHIR).patient.family_name not in answer.text


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda message: message.replace(b"MSH|", b"XSH|", 1), b"MSA|A"),
        (lambda message: message[: len(message) // 3], b"MSA|A"),
    ],
    ids=["without MSH", "cut off"],
)
def test_a_bad_hl7_message_is_answered_negatively_and_counted(
    doors: Doors, spoil: Callable[[bytes], bytes], code: bytes
) -> None:
    before = doors.refusals("intake")
    reply = doors.hl7(spoil(delivery_of(encounter(1, Wire.HL7)).messages[0]))
    assert code in reply
    assert b"MSA|AA" not in reply
    assert doors.refusals("intake") != before


def test_a_truncated_remittance_is_quarantined_with_a_case(doors: Doors, told: Story) -> None:
    before, cases = doors.refusals("intake"), doors.suite.count("intake", CASES)
    postings = doors.suite.count("ledger", "SELECT count(*) FROM subledger_postings")
    whole = told.remittances[0].faithful_content
    doors.file(INTAKE_INBOUND, "truncated.835", whole[: len(whole) * 2 // 3])
    until(lambda: doors.suite.count("intake", CASES) == cases + 1, "a person is asked")
    assert doors.refusals("intake") != before
    assert doors.suite.count("ledger", "SELECT count(*) FROM subledger_postings") == postings


def test_a_bank_file_that_does_not_add_up_is_quarantined_with_a_case(doors: Doors) -> None:
    cases = doors.suite.count("payments", CASES)
    doors.file(BANK_INBOUND, "nonsense.bai2", b"01,099900027,THROUGHLINE,260101,0600,1,,,2/\r\n99,5,1,2/\r\n")
    until(lambda: doors.suite.count("payments", CASES) == cases + 1, "a person is asked")


@pytest.mark.parametrize(
    ("secret", "age_seconds", "content", "status"),
    [
        ("whsec_of_somebody_else", 0, b'{"object": "event"}', 401),
        (WEBHOOK_SECRET, 3600, b'{"object": "event"}', 401),
        (WEBHOOK_SECRET, 0, b'{"object": "basket"}', 400),
        (WEBHOOK_SECRET, 0, b"{", 400),
        (WEBHOOK_SECRET, 0, b'{"object": "' + b"x" * (17 * MEBIBYTE) + b'"}', 413),
    ],
    ids=["wrong signature", "old signature", "no event", "no JSON", "too large"],
)
def test_a_bad_webhook_is_refused_and_counted(
    doors: Doors, secret: str, age_seconds: int, content: bytes, status: int
) -> None:
    before = doors.suite.count("payments", "SELECT count(*) FROM stored_events")
    counted = doors.refusals("payments")
    assert doors.webhook(content, secret=secret, age_seconds=age_seconds).status_code == status
    assert doors.refusals("payments") != counted
    assert doors.suite.count("payments", "SELECT count(*) FROM stored_events") == before


@pytest.mark.parametrize("token", ["", "nonsense"], ids=["no token", "no real token"])
def test_a_bundle_without_a_right_to_send_it_is_not_kept(doors: Doors, token: str) -> None:
    before = doors.suite.count("intake", "SELECT count(*) FROM inbound_messages")
    assert doors.bundle(fhir_of(encounter(2, Wire.FHIR)), token=token).status_code == 401
    assert (
        doors.bundle(fhir_of(encounter(2, Wire.FHIR)), token=doors.suite.suite.tokens.token("auditor")).status_code
        == 403
    )
    assert doors.suite.count("intake", "SELECT count(*) FROM inbound_messages") == before


def test_an_unknown_payer_holds_the_encounter_for_a_person(doors: Doors) -> None:
    before = doors.suite.count("intake", CASES) + doors.suite.count("claims", CASES)
    stranger = encounter(3, Wire.FHIR)
    assert stranger.coverage is not None
    unknown = replace(stranger, coverage=replace(stranger.coverage, payer=UNKNOWN_PAYER_CODE))
    doors.bundle(fhir_of(unknown))
    until(
        lambda: doors.suite.count("intake", CASES) + doors.suite.count("claims", CASES) == before + 1,
        "a person is asked",
    )


def test_the_next_good_input_goes_all_the_way(doors: Doors, told: Story) -> None:
    good = next(each for each in Scenario.tell(STRANGERS, 20, datetime.now(UTC).date()).encounters[5:] if each.billable)
    taken = len(told.payers.verdicts)
    assert doors.bundle(fhir_of(replace(good, wire=Wire.FHIR))).is_success
    until(lambda: len(told.payers.verdicts) == taken + 1, "the payer has the claim")
    assert told.payers.verdicts[-1].claim.charge == good.total


def test_no_name_or_number_of_a_patient_is_in_any_log(doors: Doors, told: Story) -> None:
    people = [*told.scenario.encounters, *Scenario.tell(STRANGERS, 20, datetime.now(UTC).date()).encounters]
    words = {word for each in people for word in (each.patient.family_name, each.patient.mrn, each.patient.street)}
    words |= {each.coverage.member_id for each in people if each.coverage and each.coverage.member_id}
    logs = [*doors.suite.folder.rglob("*.log")]
    assert len(logs) >= 8
    found = [(log.name, word) for log in logs for word in words if word in log.read_text(errors="replace")]
    assert found == []


def test_the_checker_still_finds_that_every_invariant_holds(doors: Doors) -> None:
    assert broken_promises(doors.suite.folder) == {}


@pytest.fixture(autouse=True)
def nothing_ends(suite: OpenStack) -> Iterator[None]:
    """No service may end over bad input."""
    yield
    assert [name for name, process in suite.suite.services.items() if not process.is_running()] == []
