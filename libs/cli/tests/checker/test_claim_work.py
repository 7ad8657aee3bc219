"""People's work on claims, recomputed by the checker: the rows, and denials whose parts do not add up."""

from __future__ import annotations

from typing import Any

import pytest
from claims.application.work_read_models import WORK_TABLES
from throughline.checker.books.claim_work import ClaimWork
from throughline.checker.books.claims import ClaimsBook
from throughline.checker.records import Fact
from throughline.checker.rows import compare

DENIAL = "5f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
FACTS = {
    "claim_id": "1f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77",
    "number": 1,
    "patient_control_number": "T1",
    "entity": "NORTH",
    "payer": "ACME",
    "remittance_id": "2f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77",
    "position": 0,
    "category": "coding",
    "queue": "coding",
    "denied_on": "2026-03-20",
    "appeal_by": "2026-09-16",
    "file_by": None,
}


def fact(version: int, name: str, **state: Any) -> Fact:
    return Fact(version, DENIAL, version, f"claims.denial.{name}", state)


def folded(*facts: Fact) -> ClaimWork:
    work = ClaimWork()
    for each in (fact(1, "opened", facts=FACTS, amount="250.00 USD"), *facts):
        work.handlers()[each.topic](each)
    return work


def resettled(version: int, at_risk: str, recovered: str, state: str = "open") -> Fact:
    return fact(version, "resettled", at_risk=at_risk, recovered=recovered, state=state, outcome="none")


def test_a_denial_is_recomputed_from_its_events() -> None:
    asked = fact(3, "write-off-requested", amount="50.00 USD", requested_by="user:ann")
    given_up = fact(
        4,
        "written-off",
        change="50.00 USD",
        at_risk="50.00 USD",
        recovered="150.00 USD",
        written_off="50.00 USD",
        state="in-work",
        outcome="none",
    )
    work = folded(resettled(2, "100.00 USD", "150.00 USD"), asked, given_up)

    (denials, _, _) = work.tables()
    wanted = dict(zip(denials.columns, [""] * len(denials.columns), strict=True)) | {
        **{name: None if value is None else str(value) for name, value in FACTS.items()},
        "state": "in-work",
        "outcome": "none",
        "amount_minor": "25000",
        "at_risk_minor": "5000",
        "recovered_minor": "15000",
        "written_off_minor": "5000",
        "requested_minor": "0",
    }
    found = compare(denials, [(DENIAL, *(wanted[name] for name in denials.columns))])
    assert (found.failures.count, work.miscounted) == (0, [])


@pytest.mark.parametrize(
    "wrong",
    [
        resettled(2, "100.00 USD", "149.99 USD"),
        resettled(2, "300.00 USD", "-50.00 USD"),
        fact(
            2,
            "written-off",
            change="40.00 USD",
            at_risk="200.00 USD",
            recovered="0.00 USD",
            written_off="50.00 USD",
            state="in-work",
            outcome="none",
        ),
    ],
)
def test_parts_that_are_not_what_was_first_denied_are_named(wrong: Fact) -> None:
    assert any(DENIAL in each for each in folded(wrong).miscounted)


def test_runs_of_the_edits_are_recomputed_from_the_claims_events_and_from_those_of_before() -> None:
    claim, beside = FACTS["claim_id"], "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
    rules = {"rules_version": "2026.1", "rules_digest": "0" * 64, "rules_run": 21}
    book = ClaimsBook()
    for topic, identity, state in (
        ("claims.edit-history.ran", beside, {"claim_id": claim, "number": 1, "stage": "draft", **rules}),
        ("claims.claim.held", claim, {"edit_run": None}),
        ("claims.claim.edits-ran", claim, {"edit_run": {"number": 2, "stage": "release", **rules}}),
        ("claims.claim.made-ready", claim, {"edit_run": {"number": 3, "stage": "release", **rules}}),
        (
            "claims.claim.submitted",
            claim,
            {"interchange_id": beside, "edit_run": {"number": 4, "stage": "submission", **rules}},
        ),
    ):
        book.take(Fact(1, str(identity), 1, topic, state))

    (_, _, runs) = book.work.tables()
    stages = {"1": "draft", "2": "release", "3": "release", "4": "submission"}
    live = [(str(claim), number, stage, "2026.1", "0" * 64, "21") for number, stage in stages.items()]
    assert book.unreadable.count == 0
    assert compare(runs, live).failures.count == 0


def test_the_tables_are_those_of_the_service() -> None:
    live = {table.name: table for table in WORK_TABLES}
    rebuilt = ClaimWork().tables()

    assert {table.name for table in rebuilt} == live.keys()
    for table in rebuilt:
        assert {*table.key, *table.columns} <= set(live[table.name].columns)
        assert table.key == live[table.name].key
