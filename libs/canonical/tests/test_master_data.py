"""Master data is found by code and day, and rows that cannot stand beside each other are named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from canonical.codes import PayerClass
from canonical.master_data import (
    ChargeMasterRow,
    CostCenter,
    Crosswalk,
    Dated,
    Department,
    Entity,
    FeeScheduleRow,
    MasterData,
    Payer,
    Plan,
    Provider,
    UnknownMasterData,
    UnusableMasterData,
    faults_in,
    load_master_data,
    master_data_bytes,
)
from canonical.money import Money
from canonical.party import OrganizationAddress

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
ADDRESS = OrganizationAddress(line="1 Road", city="Town", state="OH", postal_code="44126")
ENTITY = Entity(
    code="NORTH", name="North", npi="1900100003", tax_id="1", address=ADDRESS, submitter_id="S", bank_account="44"
)
PAYER = Payer(
    code="ACME",
    name="Acme",
    payer_class=PayerClass.COMMERCIAL,
    x12_identifier="9",
    receiver_id="R",
    expected_contractual_percent=30,
)
CONTENT = MasterData(version="1", entities=(ENTITY,), payers=(PAYER,), providers=())


def crosswalk(code: str, ours: str, kind: str = "payer", **dates: date) -> Crosswalk:
    return Crosswalk(code=code, source="ehr", kind=kind, ours=ours, **dates)


def with_rows(**lists: tuple[Dated, ...]) -> MasterData:
    return CONTENT.model_copy(update=dict(lists))


def test_a_code_is_found_by_the_day() -> None:
    rows = (crosswalk("A", "OLD", valid_until=date(2026, 7, 31)), crosswalk("A", "NEW", valid_from=AUGUST))
    content = with_rows(crosswalks=rows)
    assert [content.translate("ehr", "payer", "A", day) for day in (JULY, AUGUST)] == ["OLD", "NEW"]


def test_a_source_without_rows_of_a_kind_speaks_our_codes_and_one_with_rows_only_those() -> None:
    content = with_rows(crosswalks=(crosswalk("A", "ACME"),))
    assert content.translate("other", "payer", "B", JULY) == "B"
    with pytest.raises(UnknownMasterData, match="no crosswalk ehr/payer 'B' on 2026-07-01"):
        content.translate("ehr", "payer", "B", JULY)


def test_a_copy_with_another_list_is_asked_for_that_list() -> None:
    assert CONTENT.payer("ACME", JULY) == PAYER
    with pytest.raises(UnknownMasterData):
        with_rows(payers=()).payer("ACME", JULY)
    assert CONTENT.payer("ACME", JULY) == PAYER


def test_a_charge_has_the_price_of_its_department_first() -> None:
    rows = (
        ChargeMasterRow(code="99213", price=Money(100)),
        ChargeMasterRow(code="99213", price=Money(200), department="N-IM", valid_from=AUGUST),
    )
    content = with_rows(charge_master=rows)
    found = [content.charge_master_row("99213", "N-IM", day) for day in (JULY, AUGUST)]
    assert [row.price for row in found if row] == [Money(100), Money(200)]


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        (
            {"crosswalks": (crosswalk("A", "ACME"), crosswalk("A", "ACME", valid_from=AUGUST))},
            "crosswalks, row 2, valid_from: overlapping",
        ),
        ({"crosswalks": (crosswalk("A", "NOBODY"),)}, "crosswalks, row 1, ours: unknown-reference"),
        ({"plans": (Plan(code="GOLD", payer="NOBODY"),)}, "plans, row 1, payer: unknown-reference"),
        (
            {"departments": (Department(code="D", entity="SOUTH", cost_center="CC"),)},
            "row 1, entity: unknown-reference",
        ),
        (
            {
                "departments": (Department(code="D", entity="NORTH", cost_center="CC2"),),
                "cost_centers": (CostCenter(code="CC1"),),
            },
            "departments, row 1, cost_center: unknown-reference",
        ),
        (
            {"providers": (Provider(code="P", npi="1900102745", family_name="A", given_name="B"),)},
            "providers, row 1, npi: check-digit",
        ),
        (
            {
                "fee_schedules": (
                    FeeScheduleRow(code="1", payer="ACME", allowed=Money(1), valid_until=date(1999, 1, 1)),
                )
            },
            "fee_schedules, row 1, valid_until: ends-before-it-begins",
        ),
    ],
)
def test_rows_that_cannot_be_are_named_by_list_row_column_and_rule(
    lists: dict[str, tuple[Dated, ...]], told: str
) -> None:
    assert told in str(faults_in(with_rows(**lists))[0])


def test_rows_that_follow_each_other_and_refer_to_what_is_there_stand() -> None:
    content = with_rows(
        crosswalks=(crosswalk("A", "ACME", valid_until=date(2026, 7, 31)), crosswalk("A", "ACME", valid_from=AUGUST)),
        departments=(Department(code="D", entity="NORTH", cost_center="CC1"),),
        cost_centers=(CostCenter(code="CC1", entity="NORTH"),),
        plans=(Plan(code="GOLD", payer="ACME"),),
        fee_schedules=(
            FeeScheduleRow(code="1", payer="ACME", allowed=Money(1)),
            FeeScheduleRow(code="1", payer="ACME", plan="GOLD", allowed=Money(1)),
        ),
    )
    assert faults_in(content) == ()


def test_a_file_with_such_rows_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "master_data.json"
    path.write_bytes(master_data_bytes(CONTENT))
    assert load_master_data(path) == CONTENT
    path.write_bytes(master_data_bytes(with_rows(crosswalks=(crosswalk("A", "NOBODY"),))))
    with pytest.raises(UnusableMasterData, match="unknown-reference"):
        load_master_data(path)


def test_the_content_hash_does_not_know_the_version() -> None:
    again = CONTENT.model_copy(update={"version": "2"})
    assert again.content_hash() == CONTENT.content_hash() != with_rows(payers=()).content_hash()
