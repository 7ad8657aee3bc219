"""Policies by trading partner: what follows from a finding is data, but what is posted is never at a policy's mercy."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest
import x12
from canonical.master_data import TradingPartner
from x12.findings import Severity, Verdict
from x12.inspection import SetInspection, inspect
from x12.policy import STRICT, Policy, PolicyOf, UnusablePolicy, policies_of, policy_of, strict
from x12.rules import RULES, meaning_of
from x12.samples import SampleAdjustment, SampleClaim, SampleLine, SampleRemittance, interchange, random_claims

SOUND = interchange(SampleRemittance(tuple(random_claims(3, seed=1))))
MISCOUNTED = SOUND.replace(b"SE*", b"SE*1")
TAKEN_BACK = SampleClaim("A", (SampleLine(-10_000, (SampleAdjustment("CO", "45", -3_000),)),), status="22")
IN_4010 = (
    interchange(SampleRemittance((TAKEN_BACK,)))
    .replace(b"CAS*CO*", b"CAS*CR*")
    .replace(b"005010X221A1", b"004010X091A1")
)


def only_set(raw: bytes, policies: PolicyOf = strict) -> SetInspection:
    (found,) = inspect(raw, policies=policies).interchanges[0].transaction_sets
    return found


def partner(sender: str, rules: dict[str, str], *, accept_4010: bool = False) -> PolicyOf:
    row = {"code": sender, "rules": rules, "accept_4010": accept_4010}
    return policies_of([TradingPartner.model_validate(row)], date(2026, 6, 1))


@pytest.mark.parametrize(
    ("treatment", "verdict", "severity"),
    [
        ("finding", Verdict.ACCEPTED, Severity.NOTE),
        ("quarantine", Verdict.QUARANTINED, Severity.QUARANTINE),
        ("refuse", Verdict.REFUSED, Severity.REFUSE),
    ],
)
def test_a_partner_s_rule_decides_what_a_wrong_count_does(treatment: str, verdict: Verdict, severity: Severity) -> None:
    found = only_set(MISCOUNTED, partner("SAMPLEPLAN", {"se01_count": treatment}))
    assert found.verdict is verdict
    assert [(each.code, each.severity) for each in found.findings] == [("se01_count", severity)]


def test_the_rules_of_one_partner_do_not_hold_for_another() -> None:
    assert only_set(MISCOUNTED, partner("OTHERPLAN", {"se01_count": "finding"})).verdict is Verdict.QUARANTINED


def test_a_partner_s_rules_hold_on_its_days_only() -> None:
    ended = TradingPartner(code="SAMPLEPLAN", rules={"se01_count": "finding"}, valid_until=date(2026, 5, 31))
    assert only_set(MISCOUNTED, policies_of([ended], date(2026, 6, 1))).verdict is Verdict.QUARANTINED
    assert only_set(MISCOUNTED, policies_of([ended], date(2026, 5, 31))).verdict is Verdict.ACCEPTED


def test_a_note_may_be_made_stricter() -> None:
    test_file = interchange(SampleRemittance((TAKEN_BACK,), usage="T"))
    assert only_set(test_file).verdict is Verdict.ACCEPTED
    assert only_set(test_file, partner("SAMPLEPLAN", {"not_production": "refuse"})).verdict is Verdict.REFUSED


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if not rule.eases])
def test_what_is_posted_is_never_at_a_policy_s_mercy(code: str) -> None:
    with pytest.raises(UnusablePolicy, match="guards what is posted"):
        policy_of({code: "finding"})
    assert policy_of({code: "refuse"}).severities == {code: Severity.REFUSE}


@pytest.mark.parametrize(
    ("rules", "words"), [({"se01": "finding"}, "not a rule"), ({"se01_count": "ignore"}, "none of finding")]
)
def test_a_policy_with_an_unknown_word_is_refused_by_name(rules: dict[str, str], words: str) -> None:
    with pytest.raises(UnusablePolicy, match=words):
        policy_of(rules)


def test_every_level_of_money_guards_what_is_posted() -> None:
    money = ["line_unbalanced", "claim_unbalanced", "line_charges", "line_payments", "transaction_unbalanced"]
    assert not any(RULES[code].eases for code in [*money, "patient_responsibility", "not_an_amount", "cas_triplet"])


def test_a_stricter_rule_reaches_the_residuals_too() -> None:
    unbalanced = SOUND.replace(b"BPR*I*", b"BPR*I*1")
    found = only_set(unbalanced, lambda _: Policy({"transaction_unbalanced": Severity.REFUSE}))
    assert found.verdict is Verdict.REFUSED
    assert [each.severity for each in found.residuals] == [Severity.REFUSE]


def test_a_4010_remittance_is_quarantined_by_name_unless_the_partner_s_policy_accepts_it() -> None:
    assert [each.code for each in only_set(IN_4010).findings] == ["version_4010"]
    assert only_set(IN_4010).verdict is Verdict.QUARANTINED
    assert only_set(IN_4010, partner("SAMPLEPLAN", {}, accept_4010=True)).verdict is Verdict.ACCEPTED


def test_the_correction_group_is_known_in_4010_only() -> None:
    in_5010 = IN_4010.replace(b"004010X091A1", b"005010X221A1")
    found = only_set(in_5010, partner("SAMPLEPLAN", {}, accept_4010=True))
    assert [each.code for each in found.findings] == ["cas_head"]


def test_no_other_version_is_taken_for_4010() -> None:
    found = only_set(SOUND.replace(b"005010X221A1", b"003070X091"), partner("SAMPLEPLAN", {}, accept_4010=True))
    assert found.verdict is Verdict.REFUSED


def test_the_default_is_strict() -> None:
    assert (STRICT.severities, STRICT.accept_4010) == ({}, False)
    assert strict("ANYBODY") is STRICT


def written_rules() -> set[tuple[str, str]]:
    """Severity and code of every finding that the sources make by `note`, `quarantine` or `refuse`."""
    found = set()
    for path in Path(x12.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in ("note", "quarantine", "refuse"):
                found.add((name, str(node.args[0].value)))
    return found


def test_every_rule_that_a_reader_speaks_of_stands_in_the_list_with_its_severity() -> None:
    written = written_rules()
    assert len(written) > 40
    assert {(severity, code) for severity, code in written if code not in RULES} == set(), "add them to x12.rules"
    assert {(severity, code) for severity, code in written if RULES[code].severity != severity} == set()


def test_every_rule_has_a_meaning_in_words() -> None:
    assert all(meaning_of(code).endswith(".") for code in RULES)
    assert meaning_of("segment_bytes") == ""
