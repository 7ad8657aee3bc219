"""Inspection: the facts of the real files, and an answer or a typed refusal for anything at all."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from canonical.money import Money
from hypothesis import given
from hypothesis import strategies as st
from x12.findings import Verdict
from x12.inspection import Inspection, SetInspection, inspect
from x12.samples import SampleRemittance, interchange, random_claims

SAMPLE = interchange(SampleRemittance(tuple(random_claims(3, seed=1)), (("WO:A", 500),)))


def sets_of(inspection: Inspection) -> list[SetInspection]:
    return [each for interchange_ in inspection.interchanges for each in interchange_.transaction_sets]


def fact(facts: str, name: str) -> Money:
    match = re.search(rf"(?<![A-Z0-9]){name}=(-?[0-9.]+)(?![0-9.+])", facts)
    assert match, f"{name} is not among the facts"
    return Money.of(match.group(1))


def total(sets: list[SetInspection], name: str) -> Money:
    return Money.total(each.sums[name] for each in sets)


def test_every_readable_remittance_of_the_corpus_has_the_sums_of_the_index(corpus_facts: dict[Path, str]) -> None:
    compared = 0
    for path, facts in corpus_facts.items():
        if "/835/" not in str(path) or "no ISA at start" in facts:
            continue
        sets = sets_of(inspect(path.read_bytes()))
        payment = "BPR02sum" if "BPR02sum" in facts else "BPR02"
        names = {"CLP03": "CLP03", "CLP04": "CLP04", "CLP05": "CLP05", "PLB": "PLB", payment: "BPR02"}
        for name, sum_name in names.items():
            assert total(sets, sum_name) == fact(facts, name), (path.name, name)
        assert Money(sum(each.claims for each in sets)) == Money(fact(facts, "CLP").minor // 100), path.name
        assert ("balances=yes" in facts) == all(not each.residuals for each in sets), path.name
        compared += 1
    assert compared == 9


def test_every_readable_837_of_the_corpus_has_the_counts_and_sums_of_the_index(corpus_facts: dict[Path, str]) -> None:
    compared = 0
    for path, facts in corpus_facts.items():
        if "CLM02=" not in facts or "no ISA at start" in facts:
            continue
        sets = [each for each in sets_of(inspect(path.read_bytes())) if each.type == "837"]
        assert total(sets, "CLM02") == fact(facts, "CLM02"), path.name
        assert sum(each.claims for each in sets) == fact(facts, "CLM").minor // 100, path.name
        assert sum(each.lines for each in sets) == fact(facts, "lines").minor // 100, path.name
        off = re.search(r"claims_lines_ne_total=([0-9]+)", facts)
        assert off
        assert sum(len(each.residuals) for each in sets) == min(int(off.group(1)), 100), path.name
        compared += 1
    assert compared > 20


def test_every_envelope_fault_of_the_index_is_found(corpus_facts: dict[Path, str]) -> None:
    words = {"IEA02!=ISA13": "iea02_control", "IEA01=": "iea01_count", "SE01=": "se01_count", "GE02!=": "ge02_control"}
    words |= {"no IEA": "missing_iea", "ST without SE": "missing_se", "GS without GE": "missing_ge"}
    for path, facts in corpus_facts.items():
        if "no ISA at start" in facts or "ISA=1 GS=0" in facts:
            continue
        inspection = inspect(path.read_bytes())
        found = {finding.code for each in inspection.interchanges for finding in each.findings}
        found |= {finding.code for each in sets_of(inspection) for finding in each.findings}
        faults = facts.partition("ENVELOPE: ")[2].partition(" | ")[0]
        expected = {code for word, code in words.items() if word in faults}
        assert found & set(words.values()) == expected, path.name


def test_every_file_of_the_corpus_gets_an_answer(corpus_facts: dict[Path, str]) -> None:
    for path in corpus_facts:
        with path.open("rb") as file:
            inspection = inspect(file)
        assert inspection.bytes == path.stat().st_size
        assert json.loads(inspection.model_dump_json())["verdict"] == inspection.verdict
        if inspection.refusal:
            assert inspection.verdict is Verdict.REFUSED


def test_a_balanced_file_is_accepted_and_says_what_is_in_it() -> None:
    inspection = inspect(SAMPLE)
    (only,) = sets_of(inspection)
    assert (inspection.verdict, only.verdict, only.claims, only.type) == (Verdict.ACCEPTED, Verdict.ACCEPTED, 3, "835")
    assert only.sums["PLB"] == Money.of("5.00")
    assert only.sums["BPR02"] == only.sums["CLP04"] - only.sums["PLB"]
    assert SAMPLE[only.offset : only.offset + only.length].startswith(b"ST*835*")
    assert inspection.interchanges[0].length == len(SAMPLE)


def test_the_answer_is_data_with_exact_amounts() -> None:
    data = json.loads(inspect(SAMPLE.replace(b"BPR*I*", b"BPR*I*1")).model_dump_json())
    (only,) = data["interchanges"][0]["transaction_sets"]
    (residual,) = only["residuals"]
    assert only["verdict"] == "quarantined"
    assert residual["segment"] == "BPR"
    assert residual["position"] == 2
    assert re.fullmatch(r"-1[0-9]*00\.00 USD|-[0-9]+\.[0-9]{2} USD", residual["residual"])


def test_what_is_no_x12_is_refused_by_name() -> None:
    inspection = inspect(b"%PDF-1.7 and so on")
    assert inspection.verdict is Verdict.REFUSED
    assert inspection.refusal
    assert inspection.refusal.code == "no_isa"
    assert inspection.bytes == 18


def test_another_version_of_the_guide_is_refused_but_counted() -> None:
    (only,) = sets_of(inspect(SAMPLE.replace(b"005010X221A1", b"005010X221A9")))
    assert only.verdict is Verdict.REFUSED
    assert only.claims == 3


def test_bytes_outside_the_interchanges_quarantine_the_file_but_not_its_sets() -> None:
    inspection = inspect(SAMPLE + b"leftover")
    assert (inspection.verdict, inspection.outside_bytes) == (Verdict.QUARANTINED, 8)
    assert sets_of(inspection)[0].verdict is Verdict.ACCEPTED


@given(st.data())
def test_mutations_of_a_valid_file_never_raise(data: st.DataObject) -> None:
    raw = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 12)))
        raw[start:end] = data.draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from([b"~", b"*", b":", b"~ISA*", b"~IEA*1", b"~SE*", b"~CLP*", b"~\n"]),
            )
        )
    inspection = inspect(bytes(raw))
    assert inspection.bytes == len(raw)
    assert inspect(bytes(raw)) == inspection


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise(raw: bytes) -> None:
    assert inspect(SAMPLE[:106] + raw).bytes == 106 + len(raw)
    assert inspect(raw).bytes == len(raw)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file() -> None:
    head, tail = SAMPLE[: SAMPLE.index(b"LX*1~") + 5], SAMPLE[SAMPLE.index(b"PLB*") :]
    claims = SAMPLE[len(head) : SAMPLE.index(b"PLB*")]

    def chunks(times: int) -> Iterator[bytes]:
        yield head
        for _ in range(times):
            yield claims * 100
        yield tail

    peaks = []
    for times in (8, 32):
        tracemalloc.start()
        inspect(chunks(times))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2 + 1_000_000
