"""`throughline master-data` and `throughline crosswalk` offline: lists go in and out of a file, and codes are tried against it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from canonical.master_data import LISTS, Crosswalk, load_master_data, master_data_bytes
from canonical.master_data.tables import table_lines
from sandbox.world.ehr import delivery_of
from sandbox.world.known_world import MASTER_DATA_FILE, sandbox_master_data
from sandbox.world.scenario import Scenario, Wire
from throughline.main import app
from throughline.mastering.hl7_codes import read_site_readings
from throughline.mastering.message_codes import LookedUp, codes_in
from typer.testing import CliRunner

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 3, 1)
STORY = Scenario.tell(1, 40, TODAY)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def known(tmp_path: Path) -> Path:
    path = tmp_path / "known.json"
    path.write_bytes(MASTER_DATA_FILE.read_bytes())
    return path


def test_every_list_goes_out_and_in_again_as_it_was(tmp_path: Path, known: Path) -> None:
    assert run("master-data", "export", str(tmp_path / "lists"), "--master-data", str(known))[0] == 0
    files = sorted((tmp_path / "lists").glob("*.csv"))
    assert [each.stem for each in files] == sorted(LISTS)
    made = tmp_path / "made.json"
    assert run("master-data", "import", *map(str, files), "--master-data", str(made))[0] == 0
    assert load_master_data(made).content_hash() == sandbox_master_data().content_hash()


def test_rows_that_cannot_be_are_named_and_nothing_is_written(tmp_path: Path, known: Path) -> None:
    before = known.read_bytes()
    (tmp_path / "providers.csv").write_text("code,npi,family_name,given_name\nP1,=1+1,A,B\n")
    (tmp_path / "crosswalks.csv").write_text("code,source,kind,ours\nX,ehr,payer,NOBODY\n")
    code, told = run("master-data", "import", str(tmp_path / "providers.csv"), "--master-data", str(known))
    assert (code, "providers.csv, line 2, npi: formula" in told) == (1, True)
    code, told = run("master-data", "import", str(tmp_path / "crosswalks.csv"), "--master-data", str(known))
    assert (code, "crosswalks, row 1, ours: unknown-reference" in told) == (1, True)
    assert known.read_bytes() == before


@pytest.mark.parametrize("wire", list(Wire))
def test_codes_of_a_message_are_tried_as_its_reader_would_look_them_up(wire: Wire, tmp_path: Path, known: Path) -> None:
    encounter = next(each for each in STORY.billable if each.wire is wire and each.source == "ehr-north")
    assert encounter.coverage is not None
    path = tmp_path / "message"
    path.write_bytes(b"".join(delivery_of(encounter).messages))
    asked = {(each.kind, each.code) for each in codes_in(path, TODAY)}
    assert {("entity", "NORTH"), ("payer", encounter.coverage.payer)} <= asked
    assert {kind for kind, _ in asked} == {"entity", "payer", "provider", "location", "department"}
    assert {each.source for each in codes_in(path, TODAY)} == {"ehr-north"}
    code, told = run("crosswalk", "test", str(path), "--master-data", str(known), "--json")
    assert (code, json.loads(told)["unmapped"]) == (0, 0)


HL7 = (
    b"MSH|^~\\&|ehr-north|NORTH|||20260201||DFT^P03|1|P|2.5\r"
    b"PV1|1|O|CLINIC^1||||PRV01\rFT1|1|T1||20260201||CG|99213||||||WRONG|||OTHER^FAMMED\rIN1|1|PLAN|WRONG|Acme^ACME\r"
    b"IN1|2|SELF-PAY|NOBODY\r"
)


def codes_by(profiles: str, folder: Path) -> set[tuple[str, str]]:
    (folder / "message.hl7").write_bytes(HL7)
    (folder / "profiles.toml").write_text(profiles, "utf-8")
    return {
        (each.kind, each.code)
        for each in codes_in(folder / "message.hl7", TODAY, read_site_readings(folder / "profiles.toml"))
    }


@pytest.mark.parametrize(
    ("sender", "payer", "department"),
    [("ehr-north|*", "ACME", "FAMMED"), ("ehr-south|*", "WRONG", "WRONG")],
)
def test_codes_stand_where_the_profile_of_the_sender_says(
    sender: str, payer: str, department: str, tmp_path: Path
) -> None:
    profiles = (
        f'[[profile]]\nname = "north"\nsenders = ["{sender}"]\npayer = ["IN1-9", "IN1-4.2"]\ndepartment = "FT1-16.2"\n'
    )
    told = codes_by(profiles, tmp_path)
    assert {each for each in told if each[0] in ("payer", "department")} == {
        ("payer", payer),
        ("department", department),
    }


def test_profiles_of_intake_itself_can_be_given_and_what_is_none_is_refused(tmp_path: Path, known: Path) -> None:
    (tmp_path / "message.hl7").write_bytes(HL7)
    wanted = ("crosswalk", "test", str(tmp_path / "message.hl7"), "--master-data", str(known), "--profile")
    assert run(*wanted, str(ROOT / "services/intake/tests/site_profiles.toml"))[0] == 1
    for wrong in ('[[profile]]\npayer = ["somewhere"]\n', "[[", 'unknown_senders = "refused"\n'):
        (tmp_path / "profiles.toml").write_text(wrong, "utf-8")
        assert run(*wanted, str(tmp_path / "profiles.toml"))[0] == 2


def test_a_code_that_is_not_mapped_ends_with_1(tmp_path: Path, known: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text(
        "source,kind,code,day\nehr-north,department,FAMMED,2026-02-01\nehr-north,department,ICU,2026-02-01\n"
    )
    code, told = run("crosswalk", "test", str(path), "--master-data", str(known), "--json")
    assert code == 1
    assert [(each["code"], each["ours"]) for each in json.loads(told)["codes"]] == [("FAMMED", "N-FM"), ("ICU", None)]


def test_a_mapping_to_a_row_that_has_ended_is_none(tmp_path: Path, known: Path) -> None:
    content = sandbox_master_data()
    ended = tuple(row.model_copy(update={"valid_until": date(2026, 1, 31)}) for row in content.departments)
    known.write_bytes(master_data_bytes(content.model_copy(update={"departments": ended})))
    path = tmp_path / "codes.csv"
    path.write_text(
        "source,kind,code,day\nehr-north,department,FAMMED,2026-02-01\nehr-north,department,FAMMED,2026-01-31\n"
    )
    assert run("crosswalk", "test", str(path), "--master-data", str(known))[0] == 1


def test_a_charge_batch_tells_its_codes_by_the_day_of_service(tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text(
        "source,visit_number,transaction_id,service_date,payer,department,rendering_provider\n"
        "infusion,V1,T1,2026-02-03,ACME,INF,PRV01\n"
        "infusion,V2,T2,2026-02-04,SELFPAY,INF,\n"
        "#CONTROL,2,0,,,,\n"
    )
    days = [date(2026, 2, 3), date(2026, 2, 4)]
    assert codes_in(path, TODAY) == [
        LookedUp("infusion", "department", "INF", days[0]),
        LookedUp("infusion", "department", "INF", days[1]),
        LookedUp("infusion", "payer", "ACME", days[0]),
        LookedUp("infusion", "provider", "PRV01", days[0]),
    ]


@pytest.mark.parametrize("content", [b"what is this", b"{", b"\xff\xfe\x00", b'{"resourceType": ['])
def test_a_file_that_is_nothing_of_this_ends_with_2(content: bytes, tmp_path: Path, known: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert run("crosswalk", "test", str(path), "--master-data", str(known))[0] == 2


def test_a_list_that_is_none_is_named(tmp_path: Path, known: Path) -> None:
    code, told = run("master-data", "export", str(tmp_path), "--list", "tariffs", "--master-data", str(known))
    assert (code, "no list is called tariffs" in told) == (2, True)


def test_rows_are_written_under_their_columns() -> None:
    lines = list(table_lines(LISTS["crosswalks"], [Crosswalk(code="A", source="ehr", kind="payer", ours="ACME")]))
    assert lines == ["code,source,kind,ours,valid_from,valid_until\n", "A,ehr,payer,ACME,2000-01-01,\n"]
