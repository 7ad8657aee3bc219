"""External platforms: how claims reach them, how they misbehave, and that they read what the payers would read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from canonical.events.claims import ClaimSubmitted
from canonical.master_data import MasterData
from claims.adapters.claim_formats import FormatByReceiver
from claims.adapters.clearinghouses import rest
from claims.adapters.platforms.folder import FolderPlatform
from claims.adapters.platforms.named import WrongPlatforms, load_platforms
from claims.adapters.platforms.rest import PlatformAccess, RestPlatform
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import ReceivedAnswer, TransportUnavailable, TransportUncertain
from claims.application.read_models import CLAIMS, INTERCHANGES
from claims.domain.access import PlatformDisclosure
from claims.domain.interchange import OtherBytesSent
from claims.main import assemble
from pydantic import SecretStr
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, Payers
from sandbox.world.rcm_platform import FolderDoor, PlatformDesk
from sandbox.world.rcm_platform_api import RcmPlatformApi
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.transactions import NotTransactions, read_batch
from sandbox.world.x12_claims import read_interchange

from .money_world import SECOND, charged_to
from .test_revising import REDUCED, VOID
from .world import MASTER_DATA, ClaimsUnderTest, MemoryTransport, acknowledged, charged, chunk, paid, status

PLATFORM = "northstar"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAME = "000000001.jsonl"
CLIENT = ("throughline", "a-secret-of-the-test")


def worked_by_platform(known: MasterData = MASTER_DATA) -> MasterData:
    entities = tuple(each.model_copy(update={"claims_worked_by": PLATFORM}) for each in known.entities)
    return known.model_copy(update={"entities": entities})


class WithPlatform(ClaimsUnderTest):
    """The service whose claims all go to one platform."""

    def __init__(self, *, knows_it: bool = True) -> None:
        super().__init__(worked_by_platform(), transports={PLATFORM: MemoryTransport()})
        self.restarted(knows_it=knows_it)

    def restarted(self, dies_at: str = "", *, knows_it: bool = True) -> None:
        """Begins anew on the same store; it may die at a step."""

        def crash(step: str) -> None:
            if step == dies_at:
                raise KeyboardInterrupt(step)

        written = FormatByReceiver(X12ClaimFormat())
        ways = {PLATFORM: self.transport} if knows_it else {"files": self.transport}
        self.core = assemble(self.store, self.clock, worked_by_platform(), written, self.vault, ways, crash_point=crash)

    def batch(self, number: int = 1) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.transport.files[f"{number:09d}.jsonl"].splitlines()]


def test_a_claim_leaves_as_a_transaction_that_says_all_there_is_to_bill() -> None:
    service = WithPlatform()
    service.receive(charged())
    service.sweep()
    head, claim, trail = service.batch()
    assert (head["platform"], head["batch"], head["entity"]["code"]) == (PLATFORM, "000000001", "NORTH")
    assert (claim["location"], claim["providers"][0]["code"]) == ("N-MAIN", "PRV01")
    assert (claim["lines"][0]["line"], claim["lines"][0]["amount"]) == (1, "150.00 USD")
    assert claim["details"]["diagnosis_codes"] == ["R07.89", "I10"]
    assert trail == {"record": "trail", "claims": 1, "total": "250.00 USD"}
    row = service.claim()
    assert (row["state"], row["worked_by"]) == ("submitted", PLATFORM)


def test_the_platform_reads_the_same_claims_that_a_payer_would_read() -> None:
    def read(service: ClaimsUnderTest) -> list[ReceivedClaim]:
        service.receive(*(charged(number) for number in range(1, 6)))
        service.sweep()
        (content,) = service.transport.files.values()
        if content.startswith(b"{"):
            return [each.claim for each in read_batch(content).transactions]
        return [claim for group in read_interchange(content).groups for each in group.sets for claim in each.claims]

    def told(claim: ReceivedClaim) -> tuple[object, ...]:
        lines = [(line.procedure_code, line.modifiers, line.charge, line.service_date) for line in claim.lines]
        names = (claim.family_name.upper(), claim.given_name.upper(), claim.member_id)
        whose = (claim.patient_control_number, claim.billing_npi, claim.payer_identifier)
        return (*whose, *names, claim.charge, claim.frequency, claim.sequence, lines)

    ours, theirs = read(ClaimsUnderTest()), read(WithPlatform())
    assert sorted(map(told, ours), key=str) == sorted(map(told, theirs), key=str)


def test_the_second_payers_claim_goes_to_the_platform_too_with_what_the_first_decided() -> None:
    service = WithPlatform()
    service.receive(charged_to(SECOND))
    service.sweep()
    service.receive(status(1))
    service.receive(chunk(paid()))
    service.sweep()
    (transaction,) = read_batch(service.transport.files["000000002.jsonl"]).transactions
    assert transaction.claim.sequence == "S"
    assert [each.paid for each in transaction.claim.paying_before] == [paid().paid]
    assert service.store.rows(CLAIMS, {"payer": SECOND.payer})[0]["worked_by"] == PLATFORM


@pytest.mark.parametrize(("revision", "frequency"), [(REDUCED, "7"), (VOID, "8")])
def test_revised_charges_follow_as_a_replacement_or_a_void(revision: Any, frequency: str) -> None:
    service = WithPlatform()
    service.receive(charged())
    service.sweep()
    service.receive(acknowledged("platform", "A", 1), status(1))
    service.receive(revision)
    service.sweep()
    _, claim, _ = service.batch(2)
    assert (claim["frequency"], claim["replaces"]) == (frequency, "ICN1")


@pytest.mark.parametrize("step", ["before-send", "after-send"])
def test_a_kill_round_the_sending_gives_the_platform_one_batch_and_one_disclosure(step: str) -> None:
    service = WithPlatform()
    service.restarted(step)
    service.receive(charged())
    with pytest.raises(KeyboardInterrupt):
        service.sweep()
    service.restarted()
    service.sweep()
    assert service.transport.sendings == 1
    assert service.store.rows(INTERCHANGES, {})[0]["state"] == "sent"
    given = [each.event for each in service.store.log(0, 1_000) if isinstance(each.event, PlatformDisclosure.Given)]
    assert [each.digest for each in given] == [
        hashlib.sha256(content).hexdigest() for content in service.transport.files.values()
    ]


def test_a_platform_that_the_settings_do_not_name_is_a_persons_matter_and_nothing_leaves() -> None:
    service = WithPlatform(knows_it=False)
    service.receive(charged())
    service.sweep()
    assert service.transport.files == {}
    (case,) = service.cases(code="InterchangeNotSent")
    assert PLATFORM in str(case["summary"])
    assert [event for event in service.public_events() if isinstance(event, ClaimSubmitted)]


@pytest.mark.parametrize(
    "spoil", [lambda raw: raw[: len(raw) // 2], lambda raw: raw.replace(b'"claims":1', b'"claims":2')]
)
def test_a_batch_that_is_cut_short_or_miscounted_is_noticed(spoil: Any) -> None:
    service = WithPlatform()
    service.receive(charged())
    service.sweep()
    with pytest.raises(NotTransactions):
        read_batch(spoil(service.transport.files[NAME]))


@pytest.fixture
def api() -> Iterator[RcmPlatformApi]:
    server = RcmPlatformApi(PlatformDesk(PLATFORM, Payers(1)), lambda: NOW, CLIENT)
    server.start()
    yield server
    server.stop()


def client_of(api: RcmPlatformApi, secret: str = CLIENT[1]) -> RestPlatform:
    return RestPlatform(PlatformAccess(api.url, api.token_url, CLIENT[0], SecretStr(secret)))


def test_what_was_sent_is_found_and_never_replaced(api: RcmPlatformApi) -> None:
    platform = client_of(api)
    assert platform.probe(NAME) is None
    platform.send(NAME, b"{}")
    platform.send(NAME, b"{}")
    assert platform.probe(NAME) == hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(OtherBytesSent):
        platform.send(NAME, b"other")
    platform.close()


def test_a_platform_that_does_the_work_and_says_nothing_is_probed(
    api: RcmPlatformApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "TIMEOUT", httpx.Timeout(0.5))
    platform = client_of(api)
    api.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target="interchange")
    with pytest.raises(TransportUncertain):
        platform.send(NAME, b"{}")
    assert platform.probe(NAME)
    platform.close()


def test_a_platform_that_is_down_or_gives_no_token_got_nothing(api: RcmPlatformApi) -> None:
    api.misbehaviour.request(Fault.DOWN, target="interchange")
    for platform in (client_of(api), client_of(api, "another secret")):
        with pytest.raises(TransportUnavailable):
            platform.send(NAME, b"{}")
        platform.close()
    assert api.interchanges == {}


def test_reports_are_fetched_until_they_are_taken(api: RcmPlatformApi) -> None:
    platform, kept = client_of(api), list[ReceivedAnswer]()
    api.put_answer(Answer(AnswerKind.REPORT, "one.jsonl", b"{}\n"))
    api.misbehaviour.request(Fault.DUPLICATE, target="answers")
    assert [platform.fetch(kept.append) for _ in range(3)] == [1, 1, 0]
    assert {each.content for each in kept} == {b"{}\n"}
    platform.close()


def test_a_folder_gives_batches_whole_and_its_reports_once(tmp_path: Path) -> None:
    platform, kept = FolderPlatform(tmp_path), list[ReceivedAnswer]()
    service = WithPlatform()
    service.receive(charged())
    service.sweep()
    content = service.transport.files[NAME]
    door = FolderDoor(tmp_path, PlatformDesk(PLATFORM, Payers(1)), lambda: NOW)
    platform.send(NAME, content)
    assert door.step() == 1
    assert platform.probe(NAME) == hashlib.sha256(content).hexdigest()
    assert [platform.fetch(kept.append) for _ in range(2)] == [1, 0]
    said = [json.loads(line)["record"] for line in kept[0].content.splitlines()]
    assert said == ["head", "acknowledgement", "status", "trail"]


def test_platforms_are_opened_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    (tmp_path / "hook").write_text("one\ntwo\n")
    way = {"kind": "rest", "base_url": "http://127.0.0.1:1", "token_url": "http://127.0.0.1:1/token", "client_id": "us"}
    named = {
        "northstar": {**way, "client_secret_file": "secret", "webhook_secret_file": "hook"},
        "eastgate": {"kind": "folder", "folder": "eastgate", "answer_hours": 4, "report_hours": 0},
    }
    path = tmp_path / "platforms.json"
    path.write_text(json.dumps({"platforms": named}))
    found = load_platforms(path)
    assert {name: type(each) for name, each in found.all.items()} == {
        "northstar": RestPlatform,
        "eastgate": FolderPlatform,
    }
    assert {name: len(secrets) for name, secrets in found.webhook_secrets.items()} == {"northstar": 2}
    hours = {name: (each.answer, each.report) for name, each in found.expected.items()}
    assert hours["eastgate"] == (timedelta(hours=4), timedelta(0))
    assert hours["northstar"] == (timedelta(hours=24), timedelta(hours=48))
    assert load_platforms(None).all == {}
    with pytest.raises(WrongPlatforms, match="eastgate"):
        load_platforms(path, {"eastgate"})


@pytest.mark.parametrize(
    "named",
    [
        {"northstar": {"kind": "carrier-pigeon"}},
        {"North Star": {"kind": "folder", "folder": "x"}},
        {"northstar": {"kind": "rest", "base_url": "http://a", "token_url": "http://b", "client_id": "hush-hush"}},
    ],
)
def test_a_file_of_platforms_that_cannot_be_is_refused_and_nothing_of_it_is_shown(
    named: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "platforms.json"
    path.write_text(json.dumps({"platforms": named}))
    with pytest.raises(WrongPlatforms) as refused:
        load_platforms(path)
    assert "hush-hush" not in str(refused.value)


def test_the_bytes_of_a_batch_can_be_made_again_and_shown_for_one_claim_alone() -> None:
    service = WithPlatform()
    service.receive(charged(1), charged(2))
    service.sweep()
    content = service.transport.files[NAME]
    number = json.loads(content.splitlines()[1])["control_number"]
    parts = FormatByReceiver(X12ClaimFormat()).parts_about(content, number)
    assert [json.loads(part.content)["record"] for part in parts] == ["head", "claim", "trail"]
    assert all(content[part.start :].startswith(part.content) for part in parts)
