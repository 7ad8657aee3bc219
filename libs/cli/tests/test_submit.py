"""`throughline submit`: every format finds its door, and what the door says is what is printed."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from chassis.file_formats import HEAD_BYTES, Format, recognise
from throughline.connection import read_connection, state_folder
from throughline.main import app
from throughline.outcome import Unreachable
from throughline.submitting.exchange_door import ExchangeDoor, drop
from throughline.submitting.fhir_door import FhirDoor
from throughline.submitting.hl7_messages import hl7_messages
from throughline.submitting.mllp_door import MllpDoor
from throughline.submitting.sent import Fate
from typer.testing import CliRunner

MESSAGE = b"MSH|^~\\&|EHR|N|TL|N|20260101||DFT^P03|C1|P|2.5.1\rPID|1||M1\r"
BUNDLE = b'{"resourceType": "Bundle", "type": "transaction", "entry": []}'
CLAIM_FILE = b"ISA*00*          *00*"
BANK_FILE = b"01,122099999,123456789,260621,0200,1,65,,2/\n"
MESSAGE_ID = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"


@contextmanager
def mllp_server(answer: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A door that gives every frame the same answer, or hangs up."""
    received: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            while chunk := connection.recv(65_536):
                received.append(chunk)
                if answer is None:
                    return
                connection.sendall(b"\x0b" + answer + b"\x1c\r")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}", received
    thread.join(5)
    server.close()


def fhir_door(answer: httpx.Response, seen: list[httpx.Request]) -> FhirDoor:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    return FhirDoor("https://gateway/fhir", FixedToken(), httpx.Client(transport=httpx.MockTransport(handle)))


class FixedToken:
    def token(self) -> str:
        return "a-token"


def outcome(*texts: str) -> dict[str, object]:
    return {"resourceType": "OperationOutcome", "issue": [{"diagnostics": text} for text in texts]}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The state folder of a suite that has an exchange folder and no other door."""
    for name in ("intake-inbound", "intake-done", "intake-quarantine", "bank-inbound"):
        (tmp_path / "exchange" / name).mkdir(parents=True)
    (tmp_path / "client.json").write_text(json.dumps({"exchange": str(tmp_path / "exchange")}))
    return tmp_path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BUNDLE, Format.FHIR),
        (b"\xef\xbb\xbf\n " + BUNDLE, Format.FHIR),
        (MESSAGE, Format.HL7),
        (b"\x0b" + MESSAGE, Format.HL7),
        (CLAIM_FILE, Format.X12),
        (b"\r\nISA|00|", Format.X12),
        (BANK_FILE, Format.BAI2),
        (b"101 099900024 0910000192603020600A094101SANDBOX BANK", Format.NACHA),
        (b'{"a": 1}', None),
        (b"ISABELLA wrote a letter", None),
        (b"01 is a number", None),
        (b"", None),
    ],
)
def test_a_format_is_recognised_by_its_first_bytes(content: bytes, expected: Format | None) -> None:
    assert recognise(content) is expected


@pytest.mark.parametrize(
    ("folder", "expected"), [("bank/bai2", Format.BAI2), ("hl7v2", Format.HL7), ("x12/837p", Format.X12)]
)
def test_every_file_of_the_corpus_is_recognised(corpus: Path, folder: str, expected: Format) -> None:
    heads = {path.name: path.read_bytes()[:HEAD_BYTES] for path in (corpus / folder).glob("*.*")}
    readable = {name: head for name, head in heads.items() if expected is not Format.X12 or b"ISA" in head[:20]}
    assert readable
    assert {recognise(head) for head in readable.values()} == {expected}


def test_the_messages_of_a_batch_file_are_told_apart() -> None:
    batch = (
        b"FHS|^~\\&\nBHS|^~\\&\n" + MESSAGE.replace(b"\r", b"\n") + MESSAGE.replace(b"C1", b"C2") + b"BTS|2\nFTS|1\n"
    )
    first, second = hl7_messages(batch)
    assert first == MESSAGE
    assert b"|C2|" in second


def test_each_hl7_message_is_framed_and_its_acknowledgement_told() -> None:
    with mllp_server(b"MSH|^~\\&|TL\rMSA|AA|C1\r") as (address, received):
        first, second = MllpDoor(address).send("f.hl7", MESSAGE + MESSAGE)
    assert received == [b"\x0b" + MESSAGE + b"\x1c\r"] * 2
    assert (first.fate, first.reference, first.answers) == (Fate.ACCEPTED, "C1", ("AA",))
    assert second.fate is Fate.ACCEPTED


def test_an_hl7_error_is_told_by_place_and_rule() -> None:
    answer = (
        b"MSH|^~\\&|TL\rMSA|AE|C1\rERR||FT1^1^11|101^Required field missing^HL70357|E||||FT1-11: required: amount\r"
    )
    with mllp_server(answer) as (address, _):
        (sent,) = MllpDoor(address).send("f.hl7", MESSAGE)
    assert sent.fate is Fate.REFUSED
    assert sent.answers == ("AE", "FT1-1-11: FT1-11: required: amount")


def in_mode(accept: str, application: str) -> bytes:
    return MESSAGE.replace(b"|2.5.1\r", f"|2.5.1|||{accept}|{application}\r".encode())


def test_a_message_in_enhanced_mode_is_told_by_its_application_acknowledgement() -> None:
    answer = b"MSH|^~\\&|TL\rMSA|CA|C1\r\x1c\r\x0bMSH|^~\\&|TL\rMSA|AE|C1\rERR||PID^1^3|101||||| PID-3: required\r"
    with mllp_server(answer) as (address, _):
        first, second = MllpDoor(address).send("f.hl7", in_mode("AL", "AL") * 2)
    assert [(each.fate, each.answers[0]) for each in (first, second)] == [(Fate.REFUSED, "AE")] * 2


def test_a_message_that_asks_for_no_acknowledgement_is_handed_over() -> None:
    with mllp_server(b"") as (address, _):
        (sent,) = MllpDoor(address).send("f.hl7", in_mode("NE", "NE"))
    assert sent.fate is Fate.HANDED_OVER


def test_the_profile_that_read_a_message_is_told() -> None:
    with mllp_server(b"MSH|^~\\&|TL|||||||||2.5.1|||||||||east\rMSA|AA|C1\r") as (address, _):
        (sent,) = MllpDoor(address).send("f.hl7", MESSAGE)
    assert sent.answers == ("AA", "read by site profile east")


def test_the_errors_of_an_older_version_are_told_too() -> None:
    answer = b"MSH|^~\\&|TL\rMSA|AE|C1\rERR|PID^1^3^101&Required field missing: PID-3: required&HL70357~FT1^2^4^101&no day&HL70357\r"
    with mllp_server(answer) as (address, _):
        (sent,) = MllpDoor(address).send("f.hl7", MESSAGE)
    assert sent.answers == ("AE", "Required field missing: PID-3: required", "no day")


def test_a_message_without_an_acknowledgement_was_not_sent() -> None:
    with mllp_server(None) as (address, _), pytest.raises(Unreachable, match="does not acknowledge"):
        list(MllpDoor(address).send("f.hl7", MESSAGE))


def test_a_bundle_is_posted_with_a_token() -> None:
    seen: list[httpx.Request] = []
    body = {"resourceType": "Bundle", "entry": [{"response": {"outcome": outcome(f"message {MESSAGE_ID} is kept")}}]}
    sent = fhir_door(httpx.Response(200, json=body), seen).send("b.json", BUNDLE)
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://gateway/fhir")
    assert request.headers["authorization"] == "Bearer a-token"
    assert request.content == BUNDLE
    assert (sent.fate, sent.reference) == (Fate.ACCEPTED, MESSAGE_ID)


@pytest.mark.parametrize(
    ("resource", "method", "path"),
    [
        (b'{"resourceType": "Patient"}', "POST", "/fhir/Patient"),
        (b'{"resourceType": "Patient", "id": "p-1"}', "PUT", "/fhir/Patient/p-1"),
        (b'{"resourceType": "Patient", "id": "../x"}', "POST", "/fhir/Patient"),
        (b'{"resourceType": "Bundle", "id": "b-1"}', "POST", "/fhir"),
        (b'{"resourceType": "Patient"', "POST", "/fhir"),
    ],
)
def test_a_resource_goes_to_its_own_place(resource: bytes, method: str, path: str) -> None:
    seen: list[httpx.Request] = []
    fhir_door(httpx.Response(200, json=outcome("kept")), seen).send("r.json", resource)
    assert (seen[0].method, seen[0].url.path) == (method, path)


def test_a_refused_resource_names_path_and_rule() -> None:
    issue = {"expression": ["ChargeItem.priceOverride"], "diagnostics": "required: amount"}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    sent = fhir_door(httpx.Response(422, json=body), []).send("r.json", b'{"resourceType": "ChargeItem"}')
    assert sent.fate is Fate.REFUSED
    assert sent.answers == ("ChargeItem.priceOverride: required: amount",)


@pytest.mark.parametrize("status", [401, 429, 502, 503])
def test_a_door_that_is_shut_is_no_refusal(status: int) -> None:
    with pytest.raises(Unreachable):
        fhir_door(httpx.Response(status), []).send("b.json", BUNDLE)


def test_a_file_is_dropped_whole_under_a_plain_name(tmp_path: Path) -> None:
    source, folder = tmp_path / "-odd näme.part", tmp_path / "in"
    folder.mkdir()
    source.write_bytes(CLAIM_FILE)
    first, second = drop(source, folder), drop(source, folder)
    assert (first.name, second.name) == ("odd n_me.part.file", "odd n_me.part-2.file")
    assert first.read_bytes() == CLAIM_FILE
    assert {each.name for each in folder.iterdir()} == {first.name, second.name}


@pytest.mark.parametrize(
    ("goes_to", "fate"), [("intake-done", Fate.ACCEPTED), ("intake-quarantine", Fate.QUARANTINED), ("", Fate.NOT_TAKEN)]
)
def test_the_fate_of_a_file_is_read_from_where_it_goes(suite: Path, goes_to: str, fate: Fate) -> None:
    exchange = suite / "exchange"
    source = suite / "a.835"
    source.write_bytes(CLAIM_FILE)
    (exchange / "intake-quarantine" / "a.835").write_bytes(b"an earlier one")

    def taken(_: float) -> None:
        dropped = exchange / "intake-inbound" / "a.835"
        if goes_to and dropped.exists():
            os.rename(dropped, exchange / goes_to / "a.835.1")

    sent = ExchangeDoor(exchange, Format.X12, wait_seconds=0.5, sleep=taken).send(source)
    assert sent.fate is fate


def test_files_are_told_one_by_one_and_the_worst_decides(runner: CliRunner, suite: Path) -> None:
    bank, letter = suite / "bank.txt", suite / "letter.txt"
    bank.write_bytes(BANK_FILE)
    letter.write_bytes(b"Dear all")
    options = ["submit", "--wait", "0", "--state", str(suite), "--json"]
    result = runner.invoke(app, [*options, str(bank), str(letter), str(suite / "absent")])
    fates = [each["fate"] for each in json.loads(result.stdout)["messages"]]
    assert fates == ["handed over", "unrecognised", "unreadable"]
    assert result.exit_code == 2
    assert (suite / "exchange" / "bank-inbound" / "bank.txt").read_bytes() == BANK_FILE
    assert runner.invoke(app, [*options, str(bank)]).exit_code == 0


def test_a_door_that_the_suite_does_not_have_is_named(runner: CliRunner, suite: Path) -> None:
    message = suite / "m.hl7"
    message.write_bytes(MESSAGE)
    result = runner.invoke(app, ["submit", "--state", str(suite), str(message)])
    assert result.exit_code == 3
    assert "no HL7 door" in result.stdout


def test_without_a_suite_the_way_to_start_one_is_told(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["submit", "--state", str(tmp_path), "--json", str(tmp_path)])
    assert result.exit_code == 3
    assert "throughline up" in json.loads(result.stdout)["error"]["message"]


def test_another_client_is_named_by_the_environment(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_CLIENT_ID", "auditor")
    assert read_connection(suite).client_id == ""
    monkeypatch.setenv("THROUGHLINE_CLIENT_SECRET", "a-secret")
    assert (read_connection(suite).client_id, read_connection(suite).client_secret) == ("auditor", "a-secret")


def test_a_suite_is_found_from_a_folder_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / ".throughline").mkdir()
    monkeypatch.chdir(below)
    assert state_folder(None) == tmp_path / ".throughline"
    assert state_folder(below) == below
