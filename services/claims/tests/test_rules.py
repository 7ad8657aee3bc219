"""Edits as data: what a rule file may say, how it is answered, and that a rule which fails holds."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from canonical.money import Money
from claims.adapters.rule_files import load_rules
from claims.application.reactions import content_of
from claims.application.work_read_models import EDIT_RUNS
from claims.domain.claim_content import ClaimContent
from claims.domain.rules.conditions import DEPTH_MAX
from claims.domain.rules.documentation import page_of
from claims.domain.rules.edits import ClaimEdits
from claims.domain.rules.rule import RULE_FAILED, rule_set_in
from claims.domain.rules.values import RuleRefused
from hypothesis import given as for_all
from hypothesis import strategies as st

from .world import DAY, EDITS, MASTER_DATA, ClaimsUnderTest, charged, claim_id, person, reasons_in

LINE = charged().charges[0]


def content(**changes: Any) -> ClaimContent:
    return content_of(charged(**changes))


def with_line(**changes: Any) -> ClaimContent:
    return content(charges=(LINE.model_copy(update=changes),), total=LINE.amount)


def codes(edits: ClaimEdits, claim: ClaimContent, today: date = DAY) -> list[str]:
    return [reason.code for reason in reasons_in(edits.run(claim, today))]


def row(**changes: Any) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": "own-rule",
        "version": 1,
        "when": {"fact": "total", "above": "100.00"},
        "reason": "TooDear",
        "owner": "billing",
        "needs": "a charge of at most 100.00, not {total}",
    }
    return fields | changes


def edits_of(*rows: dict[str, object]) -> ClaimEdits:
    return ClaimEdits(rule_set_in({"version": "own", "rules": list(rows)}), MASTER_DATA)


@pytest.mark.parametrize(
    ("condition", "is_held"),
    [
        ({"fact": "total", "above": "249.99"}, True),
        ({"fact": "total", "above": "250.00"}, False),
        ({"fact": "total", "is_not": {"fact": "lines_total"}}, False),
        ({"fact": "service_from", "at_least": "2026-03-02"}, True),
        ({"fact": "service_from", "below": "2026-03-02"}, False),
        ({"fact": "line_count", "is": 2}, True),
        ({"fact": "payer", "in": ["ACME", "BLUEOAK"]}, True),
        ({"fact": "payer", "not_in": ["ACME"]}, False),
        ({"not": {"fact": "has_member_id", "is": False}}, True),
        ({"all": [{"fact": "line_count", "is": 2}, {"any": [{"fact": "payer", "is": "NOBODY"}]}]}, False),
        ({"any": [{"fact": "payer", "is": "NOBODY"}, {"all": [{"fact": "diagnosis_count", "at_most": 2}]}]}, True),
        ({"ask": "is_npi", "fact": "entity_npi"}, True),
    ],
)
def test_conditions_compare_facts_and_nest(condition: dict[str, object], is_held: bool) -> None:
    assert codes(edits_of(row(when=condition)), content()) == (["TooDear"] if is_held else [])


def test_a_reason_names_the_facts_it_was_found_by() -> None:
    (reason,) = reasons_in(edits_of(row()).run(content(), DAY))

    assert str(reason) == "TooDear: a charge of at most 100.00, not 250.00 USD"


def test_a_rule_of_a_line_is_asked_of_every_line() -> None:
    own = row(each="line", when={"fact": "line.amount", "above": "1.00"}, needs="line {line.number}")

    assert [reason.needs for reason in reasons_in(edits_of(own).run(content(), DAY))] == ["line 1", "line 2"]


def test_a_rule_that_cannot_be_answered_holds_the_claim() -> None:
    own = row(when={"fact": "timely_filing_days", "above": 0})

    (reason,) = reasons_in(edits_of(own).run(content(payer="NOSUCHPAYER"), DAY))

    assert reason.code == RULE_FAILED
    assert reason.needs == "rule own-rule version 1 to be mended: timely_filing_days is not known"


def test_a_rule_whose_arithmetic_breaks_holds_the_claim_too() -> None:
    foreign = with_line(amount=Money.of("1.00", "CAD"))

    assert RULE_FAILED in codes(EDITS, foreign)


@pytest.mark.parametrize(
    ("changes", "is_held"),
    [
        ({"effective_from": "2026-03-02"}, True),
        ({"effective_from": "2026-03-03"}, False),
        ({"effective_until": "2026-03-02"}, True),
        ({"effective_until": "2026-03-01"}, False),
        ({"action": "off"}, False),
    ],
)
def test_a_rule_is_in_force_by_the_first_service_date(changes: dict[str, object], is_held: bool) -> None:
    assert codes(edits_of(row(**changes)), content()) == (["TooDear"] if is_held else [])


def nested(depth: int) -> dict[str, object]:
    return {"fact": "total", "above": "1.00"} if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"when": {"fact": "colour", "is": "red"}}, "no fact 'colour'"),
        ({"when": {"fact": "line.amount", "above": "1.00"}}, "no fact 'line.amount'"),
        ({"when": {"fact": "payer", "above": "A"}}, "no comparison 'above'"),
        ({"when": {"fact": "total", "above": 1.5}}, "is not of kind amount"),
        ({"when": {"fact": "total", "above": "1.005"}}, "is not of kind amount"),
        ({"when": {"fact": "total", "above": {"fact": "line_count"}}}, "compares amount with"),
        ({"when": {"ask": "is_lucky", "fact": "payer"}}, "no predicate"),
        ({"when": {"fact": "total", "above": "1.00", "below": "2.00"}}, "one comparison"),
        ({"when": {"all": []}}, "1 to 50 parts"),
        ({"when": nested(DEPTH_MAX + 1)}, "nested at most"),
        ({"needs": "{colour}"}, "no fact 'colour'"),
        ({"effective_from": "2026-03-02", "effective_until": "2026-03-01"}, "ends before"),
        ({"action": "skip"}, "rules.0.action"),
        ({"surprise": 1}, "rules.0.surprise"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_when_it_is_read(changes: dict[str, object], why: str) -> None:
    with pytest.raises(RuleRefused, match=why):
        edits_of(row(**changes))


def test_a_deployments_file_replaces_rules_by_id_and_adds_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    own = {"version": "own-3", "rules": [row(), row(id="member-id", action="off")]}
    path.write_text(json.dumps(own))

    rules = load_rules(path)

    assert rules.version == f"{EDITS.rules.version}+own-3"
    assert rules.digest != EDITS.rules.digest
    assert codes(ClaimEdits(rules, MASTER_DATA), content(has_member_id=False)) == ["TooDear"]


@pytest.mark.parametrize("written", ["nonsense", "[]", '{"version": "1", "rules": [{}]}'])
def test_a_file_that_is_no_rule_file_is_refused(tmp_path: Path, written: str) -> None:
    path = tmp_path / "rules.json"
    path.write_text(written)

    with pytest.raises(RuleRefused):
        load_rules(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["total", "1.00", "payer", "is", "", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "fact", "ask", "is", "above", "in"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@for_all(JSON)
def test_whatever_stands_in_a_condition_is_read_or_refused_by_name(condition: object) -> None:
    try:
        edits = edits_of(row(when=condition))
    except RuleRefused:
        return
    assert set(codes(edits, content())) <= {"TooDear", RULE_FAILED}


def test_a_file_that_is_nested_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('{"version": "1", "rules": ' + "[" * 200_000 + "]" * 200_000 + "}")

    with pytest.raises(RuleRefused):
        load_rules(path)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (content(place_of_service="97"), ["PlaceOfService"]),
        (content(place_of_service=""), ["PlaceOfService"]),
        (with_line(modifiers=("25", "59")), []),
        (with_line(modifiers=("25", "25")), ["Modifier"]),
        (with_line(modifiers=("2",)), ["Modifier"]),
        (with_line(modifiers=("25", "59", "76", "LT", "RT")), ["Modifier"]),
        (with_line(modifiers=("26", "TC")), ["Modifier"]),
    ],
)
def test_the_shipped_rules_know_places_and_modifiers(claim: ClaimContent, expected: list[str]) -> None:
    assert codes(EDITS, claim) == expected


def test_a_claim_past_the_payers_filing_limit_is_held() -> None:
    days = MASTER_DATA.payer("ACME", DAY).timely_filing_days

    assert codes(EDITS, content(), DAY + timedelta(days=days)) == []
    assert codes(EDITS, content(), DAY + timedelta(days=days + 1)) == ["TimelyFiling"]


def test_a_scan_that_needs_an_authorization_is_held_once_its_details_are_open() -> None:
    scan = with_line(procedure_code="70553")
    authorized = person().model_copy(update={"prior_authorization": "A1"})

    assert reasons_in(EDITS.run(scan, DAY)) == ()
    assert [reason.code for reason in reasons_in(EDITS.run(scan, DAY, person()))] == ["MissingAuthorization"]
    assert reasons_in(EDITS.run(scan, DAY, authorized)) == ()


def test_every_run_is_kept_with_the_rules_it_ran() -> None:
    service = ClaimsUnderTest().submitted(1)
    service.receive(charged(2, has_member_id=False))

    passed = service.store.rows(EDIT_RUNS, {"claim_id": claim_id(1)}, order=("number",))
    (held,) = service.store.rows(EDIT_RUNS, {"claim_id": claim_id(2)})

    assert [(run["stage"], run["findings"]) for run in passed] == [("draft", ""), ("submission", "")]
    assert str(held["findings"]).startswith("member-id 1 registration MissingMemberId: ")
    assert (held["rules_version"], held["rules_digest"]) == (EDITS.rules.version, EDITS.rules.digest)


def test_the_page_of_the_edits_says_what_the_rules_say() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "edits.md"

    assert page.read_text(encoding="utf-8") == page_of(EDITS.rules), (
        "write it again: python -m claims.adapters.rule_page docs/edits.md"
    )
