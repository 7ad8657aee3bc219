"""Charge batches: whole or not at all by the control row, visit by visit, once, and named by line and column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from canonical.events.intake import ChargesRevised, EncounterCharged
from canonical.money import Money
from chassis.inbound import INBOUND_MESSAGES, read_raw
from chassis.inbound.giving_way import GivingWay
from intake.adapters.charge_batches import ChargeBatchDoor, read_part
from intake.adapters.charge_batches.columns import BY_NAME, COLUMNS, profile_page
from intake.domain.encounter import Encounter
from intake.domain.identities import encounter_id_of
from sandbox.world.known_world import sandbox_master_data

from .world import STORY, IntakeUnderTest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "charge-batch.md"
SECRET = "Zyx-Secretname"
ROW = {
    "source": "ehr-north",
    "entity": "NORTH",
    "patient_number": "P-1",
    "family_name": SECRET,
    "given_name": "Ada",
    "birth_date": "1980-02-29",
    "sex": "F",
    "visit_number": "V-1",
    "location": "N-MAIN",
    "rendering_provider": "PRV01",
    "payer": "SELFPAY",
    "transaction_id": "T-1",
    "service_date": "2026-02-06",
    "procedure_code": "99213",
    "units": "1",
    "amount": "124.00",
    "diagnosis_codes": "E11.9",
    "department": "FAMMED",
}


class Desk:
    """The door with a folder of answers."""

    def __init__(self) -> None:
        self.service = IntakeUnderTest()
        self.answers: dict[str, bytes] = {}
        self.door = ChargeBatchDoor(self.service.intake.messages.receive, GivingWay(), self.answers.__setitem__)

    def take(self, *rows: dict[str, str], control: str | None = None, name: str = "a.csv") -> tuple[bool, list[str]]:
        verdict = self.door.take(name, batch(*rows, control=control))
        return verdict.accepted, list(verdict.reasons)

    def told(self) -> list[object]:
        return [type(event).__name__ for event in self.service.events() if not isinstance(event, EncounterCharged)]

    def charged(self) -> list[EncounterCharged]:
        return [event for event in self.service.events() if isinstance(event, EncounterCharged)]

    def rejects(self) -> list[list[str]]:
        (content,) = self.answers.values()
        return list(csv.reader(io.StringIO(content.decode())))[1:]


def batch(*rows: dict[str, str], control: str | None = None) -> bytes:
    text = io.StringIO()
    names = list(dict.fromkeys(name for each in rows for name in each))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    total = Money.total(Money.of(row["amount"]) for row in rows if row["amount"] != "1e3")
    text.write(f"#CONTROL,{len(rows)},{total.decimal_text}\r\n" if control is None else control)
    return text.getvalue().encode()


def row(**changes: str) -> dict[str, str]:
    return ROW | changes


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_charges_of_a_visit_are_billed(desk: Desk) -> None:
    second = row(transaction_id="T-2", procedure_code="85025", amount="31.50", modifiers="59 91", units="2")
    assert desk.take(row(), second) == (True, [])
    (charged,) = desk.charged()
    assert (charged.total, charged.entity) == (Money.of("155.50"), "NORTH")
    assert [line.modifiers for line in charged.charges] == [(), ("59", "91")]
    assert desk.answers == {}


def test_the_same_file_again_changes_nothing_under_whatever_name(desk: Desk) -> None:
    desk.take(row())
    position = desk.service.store.last_position()
    assert desk.take(row(), name="b.csv") == (True, [])
    assert desk.service.store.last_position() == position


def test_other_content_under_a_known_transaction_id_corrects_the_charge_and_void_takes_it_back(desk: Desk) -> None:
    desk.take(row(), row(transaction_id="T-2", amount="10.00"))
    assert desk.take(row(amount="100.00")) == (True, [])
    assert desk.take(row(transaction_id="T-2", amount="10.00", action="void")) == (True, [])
    revised = [event for event in desk.service.events() if isinstance(event, ChargesRevised)]
    assert [event.total for event in revised] == [Money.of("110.00"), Money.of("100.00")]


def test_each_visit_stands_or_falls_by_itself(desk: Desk) -> None:
    good, bad = row(), row(visit_number="V-2", patient_number="P-2", transaction_id="T-2", units="none")
    third = row(visit_number="V-2", patient_number="P-2", transaction_id="T-3")
    accepted, reasons = desk.take(good, bad, third)
    assert (accepted, len(reasons)) == (False, 1)
    assert [charged.total for charged in desk.charged()] == [Money.of("124.00")]
    assert desk.rejects() == [["3", "units", "shape", BY_NAME["units"].shape]]
    states = [message["state"] for message in desk.service.store.rows(INBOUND_MESSAGES, {}, order=["state"])]
    assert states == ["accepted", "refused"]


@pytest.mark.parametrize(
    ("control", "rule"),
    [
        ("", "control-row"),
        ("#CONTROL,2,124.00\r\n", "control-count"),
        ("#CONTROL,1,124.01\r\n", "control-amount"),
        ("#CONTROL,1,lots\r\n", "control-amount"),
        ("#CONTROL\r\n", "control-count"),
    ],
)
def test_a_file_that_does_not_prove_itself_whole_is_not_taken(desk: Desk, control: str, rule: str) -> None:
    accepted, reasons = desk.take(row(), control=control)
    assert not accepted
    assert reasons[0].split(": ")[1] == rule
    assert desk.service.store.last_position() == 0


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"amount": "1e3"}, "line 2.amount", "shape"),
        ({"amount": "-5.00"}, "line 2.amount", "shape"),
        ({"units": "0"}, "line 2.units", "units-above-zero"),
        ({"birth_date": "1981-02-29"}, "line 2.birth_date", "date"),
        ({"service_date": "2026-03-02"}, "line 2.service-date", "date-in-future"),
        ({"procedure_code": ""}, "line 2.procedure_code", "required"),
        ({"family_name": ""}, "line 2.family_name", "required"),
        ({"diagnosis_codes": "E119"}, "line 2.diagnoses", "diagnosis-code"),
        ({"action": "delete"}, "line 2.action", "shape"),
        ({"patient_number": "P\x001"}, "line 2.patient_number", "shape"),
        ({"payer": "SELFPAY", "second_payer": "ACME"}, "line 2.second_payer", "second-payer"),
        ({"payer": "", "second_payer": "ACME"}, "line 2.second_payer", "second-payer"),
        ({"payer": "ACME", "second_payer": "SELFPAY"}, "line 2.second_payer", "second-payer"),
    ],
)
def test_what_is_wrong_is_named_by_line_column_and_rule_without_a_value(
    desk: Desk, changes: dict[str, str], place: str, rule: str
) -> None:
    _, reasons = desk.take(row(**changes))
    found = {tuple(reason.split(": ")[:2]) for reason in reasons}
    assert (place, rule) in found
    assert all(SECRET not in reason and "1e3" not in reason for reason in reasons)
    assert SECRET.encode() not in b"".join(desk.answers.values())


def test_rows_of_one_visit_that_say_different_things_of_the_patient_are_refused(desk: Desk) -> None:
    _, reasons = desk.take(row(), row(transaction_id="T-2", birth_date="1980-02-28"))
    assert reasons == ["line 3.birth_date: visit-differs: as in line 2, of the same visit"]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "file: rows"),
        (b"source,visit_number,transaction_id,Smith\r\n", "line 1, column 4: unknown-column"),
        (b"source,visit_number,transaction_id\r\n", "line 1: missing-column: entity"),
        (",".join([*ROW, "source"]).encode() + b"\r\n", "line 1: column-twice"),
        (b"\xff\xfe\r\n", "line 1: missing-column: source"),
    ],
)
def test_a_header_that_cannot_be_is_told_without_its_words(desk: Desk, raw: bytes, told: str) -> None:
    verdict = desk.door.take("a.csv", raw)
    assert verdict.reasons[0].startswith(told)
    assert all("Smith" not in reason for reason in verdict.reasons)


def test_a_line_that_is_no_csv_is_refused_and_the_others_are_taken(desk: Desk) -> None:
    other = row(visit_number="V-9", transaction_id="T-9", family_name="Al", patient_number="P-9")
    sound = batch(row(), other)
    spoiled = sound.replace(b",Al,", b',"Al,')
    verdict = desk.door.take("a.csv", spoiled.replace(b"#CONTROL,2,248.00", b"#CONTROL,2,124.00"))
    assert [reason.split(": ")[:2] for reason in verdict.reasons] == [["line 3", "csv"]]
    assert len(desk.charged()) == 1


def test_a_kept_part_is_read_to_the_same_facts(desk: Desk) -> None:
    desk.take(row(), row(transaction_id="T-2", visit_number="V-2"))
    for message in desk.service.store.rows(INBOUND_MESSAGES, {}):
        message_id = message["message_id"]
        raw = read_raw(desk.service.store, desk.service.sealer, message_id)  # type: ignore[arg-type]
        assert raw.count(b"\n") == 2
        (charge,) = [fact for fact in read_part(raw, actor="test").facts if type(fact).__name__ == "ChargeSeen"]
        assert charge
    assert desk.service.store.load([encounter_id_of("ehr-north", "V-2")])


def test_a_payer_of_the_crosswalk_is_billed_and_an_unknown_one_holds_the_visit(desk: Desk) -> None:
    known = next(each for each in STORY.billable if each.coverage)
    assert known
    accepted, _ = desk.take(row(payer="NOBODY", member_id="M1"))
    assert accepted
    (held,) = [event for event in _history(desk) if isinstance(event, Encounter.Held)]
    assert any(reason.rule == "unknown-payer" or "payer" in reason.rule for reason in held.reasons)


def test_what_the_first_payer_leaves_goes_to_the_second(desk: Desk) -> None:
    first, second = [each.code for each in sandbox_master_data().payers][:2]
    insured = {
        "payer": first,
        "member_id": "M1",
        "second_payer": second,
        "second_member_id": "M2",
        "second_plan": "SILVER",
    }
    assert desk.take(row(**insured)) == (True, [])
    (event,) = desk.charged()
    assert (event.payer, [(each.payer, each.plan) for each in event.next_payers]) == (first, [(second, "SILVER")])


def test_rows_of_one_visit_name_the_same_second_payer(desk: Desk) -> None:
    codes = [each.code for each in sandbox_master_data().payers]
    insured = [row(transaction_id=f"T-{code}", payer=codes[0], second_payer=code) for code in codes[1:3]]
    _, reasons = desk.take(*insured)
    assert [reason.split(": ")[:2] for reason in reasons] == [["line 3.second_payer", "visit-differs"]]


def _history(desk: Desk) -> list[object]:
    return list(desk.service.store.story(encounter_id_of("ehr-north", "V-1")))


def test_the_published_page_is_the_profile_that_is_read() -> None:
    if not PAGE.exists():
        PAGE.write_text(profile_page(), "utf-8")
    assert PAGE.read_text("utf-8") == profile_page(), "write it anew: delete docs/charge-batch.md and run this test"
    assert all(f"| `{column.name}` |" in profile_page() for column in COLUMNS)
