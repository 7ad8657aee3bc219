"""Files from payers: balanced ones are announced in parts, the others are kept and go no further."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from canonical.events.intake import (
    AcknowledgementReceived,
    ClaimStatusLine,
    ClaimStatusReported,
    MessageQuarantined,
    RemittanceChunkReceived,
    RemittanceReceived,
)
from canonical.money import Money
from chassis.domain import Transient
from chassis.eventstore.work import no_crash
from chassis.inbound import INBOUND_MESSAGES, read_raw, read_span
from chassis.inbound.watched_folder import WatchedFolder
from intake.adapters.x12_files import X12File, take_file
from intake.domain.received_interchange import ReceivedInterchange, Sighting
from sandbox.world.bulk import generate_remittance
from sandbox.world.remittances import Remittance, corrupted, in_other_layout
from x12.policy import policy_of, strict

from .world import IntakeUnderTest

PAID_ON = date(2026, 2, 27)
SAMPLES = Path(__file__).parent / "samples"


def remittance(claims: int = 3, seed: int = 1) -> Remittance:
    return generate_remittance(claims, PAID_ON, seed=seed)


def heads(service: IntakeUnderTest) -> list[RemittanceReceived]:
    return [event for event in service.events() if isinstance(event, RemittanceReceived)]


def parts(service: IntakeUnderTest) -> list[RemittanceChunkReceived]:
    return [event for event in service.events() if isinstance(event, RemittanceChunkReceived)]


def quarantined(service: IntakeUnderTest) -> list[MessageQuarantined]:
    return [event for event in service.events() if isinstance(event, MessageQuarantined)]


def test_a_balanced_remittance_is_announced_head_first_and_whole() -> None:
    service, sent = IntakeUnderTest(), remittance(3)
    outcome = service.receive_file(sent.content)
    (head,) = heads(service)
    (part,) = parts(service)
    summary = head.summary
    assert not outcome.quarantined
    assert (summary.payer_id, summary.entity, summary.payment) == ("ACME", "NORTH", sent.amount)
    assert (summary.trace_number, summary.payer_identifier) == (sent.trace_number, sent.trace_company)
    assert (summary.claim_count, summary.chunk_count, summary.effective_date) == (3, 1, PAID_ON)
    assert [type(event) for event in service.events()] == [RemittanceReceived, RemittanceChunkReceived]
    assert part.receipt_id == summary.receipt_id
    assert [(claim.patient_control_number, claim.paid, claim.charge) for claim in part.claims] == [
        (paid.decision.claim.patient_control_number, paid.decision.paid, paid.decision.claim.charge)
        for paid in sent.claims
    ]


def test_a_claim_that_leaves_out_its_patient_amount_says_it_by_its_adjustments() -> None:
    stated, left_out = IntakeUnderTest(), IntakeUnderTest()
    sent = remittance(20)
    silent = re.sub(rb"(CLP\*[^*]*\*[^*]*\*[^*]*\*[^*]*\*)[0-9.]+", rb"\1", sent.content)
    assert silent != sent.content
    stated.receive_file(sent.content)
    assert not left_out.receive_file(silent).quarantined
    shares = [
        [claim.patient_responsibility for part in parts(each) for claim in part.claims] for each in (stated, left_out)
    ]
    assert shares[0] == shares[1]
    assert any(shares[0])


def test_a_claims_span_is_its_own_bytes_under_the_key_of_its_number() -> None:
    service, sent = IntakeUnderTest(), remittance(3)
    outcome = service.receive_file(sent.content)
    for claim in parts(service)[0].claims:
        content = read_span(service.store, service.sealer, outcome.message_id, claim.span_start, claim.span_length)
        alias = f"pcn:{claim.patient_control_number}"
        (span,) = [s for s in service.store.spans(outcome.message_id) if s.start == claim.span_start]
        assert content.startswith(f"CLP*{claim.patient_control_number}*".encode())
        assert content.count(b"CLP*") == 1
        assert span.key_id == service.keys.key_ids_for_aliases([alias])[alias]
    assert read_raw(service.store, service.sealer, outcome.message_id) == sent.content


def test_a_large_remittance_goes_in_parts_over_several_commits() -> None:
    service, sent = IntakeUnderTest(), remittance(1501)
    service.receive_file(sent.content)
    (head,) = heads(service)
    found = parts(service)
    positions = [claim.position for part in found for claim in part.claims]
    assert [part.chunk for part in found] == list(range(head.summary.chunk_count))
    assert max(len(part.claims) for part in found) <= 500
    assert max(len(part.model_dump_json()) for part in found) < 1_000_000
    assert positions == list(range(head.summary.claim_count))
    assert Money.total(part.total_paid for part in found) == head.summary.total_paid


def test_a_crash_between_commits_is_mended_by_the_same_file() -> None:
    sent = remittance(1501)
    whole = IntakeUnderTest()
    whole.receive_file(sent.content)
    for commits in range(4):
        service = IntakeUnderTest()
        left = commits

        def crash(step: str) -> None:
            nonlocal left
            if step == "after-commit":
                if left == 0:
                    raise Transient("the process died")
                left -= 1

        service.crash = crash
        with pytest.raises(Transient):
            service.receive_file(sent.content)
        service.crash = no_crash
        service.receive_file(sent.content)
        assert service.events() == whole.events()


def test_the_same_file_twice_is_one_message() -> None:
    service, sent = IntakeUnderTest(), remittance(600)
    first = service.receive_file(sent.content)
    position = service.store.last_position()
    again = service.receive_file(sent.content)
    assert (again.message_id, again.repeated, again.claims) == (first.message_id, True, 0)
    assert service.store.last_position() == position


def test_another_layout_of_a_remittance_is_another_receipt_of_the_same_content() -> None:
    service, sent = IntakeUnderTest(), remittance(3)
    service.receive_file(sent.content)
    service.receive_file(in_other_layout(sent.content), "again.835")
    one, other = (head.summary for head in heads(service))
    assert (one.remittance_id, one.content_hash) == (other.remittance_id, other.content_hash)
    assert one.receipt_id != other.receipt_id


def test_another_content_has_another_hash() -> None:
    service = IntakeUnderTest()
    service.receive_file(remittance(3, seed=1).content)
    service.receive_file(remittance(3, seed=2).content)
    one, other = (head.summary.content_hash for head in heads(service))
    assert one != other


@pytest.mark.parametrize("segment", ["SVC", "CAS"])
def test_a_remittance_that_is_one_cent_out_is_quarantined_and_says_where(segment: str) -> None:
    service, sent = IntakeUnderTest(), corrupted(remittance(3), segment)
    outcome = service.receive_file(sent.content)
    (told,) = quarantined(service)
    (case,) = service.cases()
    assert outcome.quarantined
    assert (heads(service), parts(service)) == ([], [])
    assert told.residual is not None
    assert abs(told.residual) == Money(1)
    assert any("SVC at" in finding and "residual" in finding for finding in told.findings)
    assert (case["code"], abs(int(str(case["amount_minor"])))) == ("UnbalancedRemittance", 1)
    assert service.store.rows(INBOUND_MESSAGES, {})[0]["state"] == "quarantined"
    assert read_raw(service.store, service.sealer, outcome.message_id) == sent.content


def test_a_payer_nobody_knows_is_quarantined() -> None:
    service = IntakeUnderTest()
    others = tuple(payer for payer in service.master_data.payers if payer.code != "ACME")
    service.master_data = service.master_data.model_copy(update={"payers": others})
    outcome = service.receive_file(remittance().content)
    assert (outcome.quarantined, [row["code"] for row in service.cases()]) == (True, ["UnknownPayer"])


def test_a_payee_nobody_knows_is_quarantined() -> None:
    service = IntakeUnderTest()
    others = tuple(entity for entity in service.master_data.entities if entity.code != "NORTH")
    service.master_data = service.master_data.model_copy(update={"entities": others})
    service.receive_file(remittance().content)
    assert [row["code"] for row in service.cases()] == ["UnknownPayee"]


def test_one_bad_remittance_does_not_take_another_of_its_file_along() -> None:
    service = IntakeUnderTest()
    good, bad = remittance(2, seed=1), corrupted(remittance(2, seed=2))
    outcome = service.receive_file(bad.content + good.content)
    assert outcome.quarantined
    assert [head.summary.trace_number for head in heads(service)] == [good.trace_number]
    assert len(parts(service)) == 1
    assert [row["code"] for row in service.cases()] == ["UnbalancedRemittance"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff", b"hello", b"ISA*00*", remittance().content[:700], remittance().content[:-30]],
    ids=["empty", "binary", "text", "header", "cut in a claim", "cut at the end"],
)
def test_a_file_that_cannot_be_read_to_its_end_is_kept_and_goes_no_further(content: bytes) -> None:
    service = IntakeUnderTest()
    outcome = service.receive_file(content)
    assert outcome.quarantined
    assert heads(service) == []
    assert len(service.cases()) == 1
    assert read_raw(service.store, service.sealer, outcome.message_id) == content


def test_acknowledgements_of_every_level_are_announced() -> None:
    service = IntakeUnderTest()
    for name in ("accepted.ta1", "rejected.999", "mixed.277ca"):
        assert not service.receive_file((SAMPLES / name).read_bytes(), name).quarantined
    said = [event for event in service.events() if isinstance(event, AcknowledgementReceived)]
    lines = [event for event in service.events() if isinstance(event, ClaimStatusLine)]
    assert [(each.kind, each.code) for each in said] == [("TA1", "A"), ("999", "R")]
    assert (said[0].interchange_control_number, said[1].group_control_number) == ("000000101", "101")
    assert said[1].rejected_sets == ("0001",)
    assert [(line.patient_control_number, line.accepted) for line in lines] == [("TPCN1", True), ("TPCN2", False)]
    assert (lines[0].payer_control_number, lines[0].charge) == ("ICN0001", Money.of("124.00"))
    assert lines[1].category_codes == ("A7",)


def test_a_status_names_who_speaks_and_which_submission_is_meant() -> None:
    service = IntakeUnderTest()
    service.receive_file((SAMPLES / "mixed.277ca").read_bytes(), "mixed.277ca")
    lines = [event for event in service.events() if isinstance(event, ClaimStatusLine)]
    assert {(line.reporter, line.submission_reference) for line in lines} == {("payer", "BATCH1")}


def test_the_answers_to_our_questions_are_announced_claim_by_claim() -> None:
    service = IntakeUnderTest()
    outcome = service.receive_file((SAMPLES / "answer.277").read_bytes(), "answer.277")
    told = [event for event in service.events() if isinstance(event, ClaimStatusReported)]
    assert not outcome.quarantined
    assert [
        (each.patient_control_number, each.inquiry_reference, each.category_codes, each.status_codes) for each in told
    ] == [("TPCN1", "INQUIRY1", ("F1",), ("65",)), ("TPCN2", "INQUIRY2", ("P1",), ("20",))]
    assert (told[0].charge, told[0].paid, told[0].payer_control_number) == (
        Money.of("124.00"),
        Money.of("86.80"),
        "ICN0001",
    )
    assert told[0].status_date == date(2026, 2, 26)


def test_dropped_files_are_taken_and_moved(tmp_path: Path) -> None:
    service = IntakeUnderTest()
    folder = WatchedFolder(
        tmp_path,
        "intake",
        partial(take_file, service.intake.files.receive, lambda: strict),
        service.report,
        settle_seconds=0,
    )
    (tmp_path / "intake-inbound" / "good.835").write_bytes(remittance().content)
    (tmp_path / "intake-inbound" / "bad.835").write_bytes(corrupted(remittance()).content)
    (tmp_path / "intake-inbound" / ".unfinished").write_bytes(b"ISA")
    assert folder.poll() == 2
    assert [path.name for path in (tmp_path / "intake-done").iterdir()] == ["good.835"]
    assert {path.name for path in (tmp_path / "intake-quarantine").iterdir()} == {"bad.835", "bad.835.reason.txt"}
    assert [path.name for path in (tmp_path / "intake-inbound").iterdir()] == [".unfinished"]


def test_a_survey_counts_the_parts_that_a_later_pass_gives() -> None:
    file = X12File("a.835", remittance(1200).content, source="file-drop")
    (found,) = file.survey().remittances
    given = list(file.parts(found.ordinal))
    assert (found.chunk_count, found.claim_count) == (len(given), sum(map(len, given)))


def test_a_remittance_tells_which_interchange_brought_it() -> None:
    service = IntakeUnderTest()
    service.receive_file(remittance().content)
    (head,) = heads(service)
    summary = head.summary
    assert (summary.interchange_sender, len(summary.interchange_control_number)) == (remittance().payer.receiver_id, 9)
    assert summary.payee_npi


def sightings(service: IntakeUnderTest) -> list[Sighting]:
    logged = [entry.event for entry in service.store.log(0, 10_000)]
    return [event.sighting for event in logged if isinstance(event, ReceivedInterchange.Seen)]


def test_an_interchange_in_another_layout_is_the_same_one_again() -> None:
    service = IntakeUnderTest()
    content = remittance().content
    service.receive_file(content)
    service.receive_file(in_other_layout(content), "again.835")
    service.receive_file(content.replace(b"~", b"\x1d").replace(b"*", b"!"), "other-separators.835")
    assert sightings(service) == [Sighting.FIRST, Sighting.REPEATED, Sighting.REPEATED]
    assert service.cases() == []


def test_a_number_that_stands_for_other_content_is_reported_and_its_sets_are_judged_by_themselves() -> None:
    service = IntakeUnderTest()
    content = remittance().content
    number = content[90:99]
    later = remittance(3, 2).content
    service.receive_file(content)
    outcome = service.receive_file(later.replace(later[90:99], number), "reused.835")
    assert not outcome.quarantined
    assert sightings(service) == [Sighting.FIRST, Sighting.REUSED]
    assert [case["code"] for case in service.cases()] == ["InterchangeReused"]
    assert len(heads(service)) == 2


def test_an_interchange_that_was_cut_off_is_no_other_one_of_its_number() -> None:
    service = IntakeUnderTest()
    content = remittance().content
    service.receive_file(content[: len(content) * 2 // 3], "cut.835")
    assert not service.receive_file(content, "whole.835").quarantined
    assert sightings(service) == [Sighting.FIRST]
    assert len(service.cases()) == 1


def test_the_same_interchange_many_times_in_one_file_is_seen_each_time_and_reported_by_no_case() -> None:
    service = IntakeUnderTest()
    service.receive_file(remittance().content * 3)
    assert sightings(service) == [Sighting.FIRST, Sighting.REPEATED, Sighting.REPEATED]
    assert service.cases() == []


def test_a_partners_policy_decides_what_is_held_against_its_files() -> None:
    content = remittance().content.replace(b"GE*1*", b"GE*2*")
    strictly, leniently = IntakeUnderTest(), IntakeUnderTest()
    assert strictly.receive_file(content).quarantined
    policy = policy_of({"ge01_count": "finding"})
    eased = X12File("a.835", content, source="file-drop", policies=lambda sender: policy)
    assert not leniently.intake.files.receive(eased).quarantined
    assert len(heads(leniently)) == 1


def with_forwarded_balance(content: bytes, amount: Money) -> bytes:
    """The remittance with `amount` put off to a later one (PLB FB, negative), and paid now instead."""
    paid = re.search(rb"BPR\*I\*([0-9.]+)\*", content)
    segments = re.search(rb"SE\*([0-9]+)\*", content)
    assert paid
    assert segments
    more = str(Money.of(paid[1].decode()) + amount).split()[0].encode()
    plb = b"PLB*1900100003*20261231*FB*-" + str(amount).split()[0].encode() + b"~"
    longer = b"SE*%d*" % (int(segments[1]) + 1)
    return content.replace(paid[0], b"BPR*I*" + more + b"*").replace(segments[0], plb + longer)


def test_a_provider_adjustment_knows_where_it_stands_in_the_file() -> None:
    service = IntakeUnderTest()
    outcome = service.receive_file(with_forwarded_balance(remittance().content, Money.of("10.00")))
    (head,) = heads(service)
    (forwarded,) = head.summary.provider_adjustments
    where = (outcome.message_id, forwarded.span_start, forwarded.span_length)
    assert (forwarded.reason, forwarded.amount) == ("FB", Money.of("-10.00"))
    assert read_span(service.store, service.sealer, *where).strip() == b"PLB*1900100003*20261231*FB*-10.00~"


def test_a_file_at_which_our_code_fails_is_reported_and_does_not_stop_the_others(tmp_path: Path) -> None:
    service = IntakeUnderTest()
    taken: list[str] = []

    def take(name: str, raw: bytes) -> bool:
        if raw == b"poison":
            raise ZeroDivisionError
        taken.append(name)
        return True

    folder = WatchedFolder(tmp_path, "intake", take, service.report, settle_seconds=0)
    for name, content in {"a.835": b"poison", "b.835": b"sound", "%not a name%": b""}.items():
        (tmp_path / "intake-inbound" / name).write_bytes(content)
    folder.poll()
    assert taken == ["b.835"]
    assert list((tmp_path / "intake-inbound").iterdir()) == []
    kept = (path.name for path in (tmp_path / "intake-quarantine").iterdir())
    refused = sorted(name for name in kept if not name.endswith(".reason.txt"))
    assert sorted(str(case["summary"]).split(":")[0] for case in service.cases()) == [
        f"intake-quarantine/{name}" for name in refused
    ]
    assert {str(case["summary"]).split(": ")[1] for case in service.cases()} == {"unreadable-by-us", "file-name"}


def test_a_file_that_cannot_be_kept_now_stays_where_it_is(tmp_path: Path) -> None:
    service = IntakeUnderTest()

    def take(name: str, raw: bytes) -> bool:
        raise Transient("the store is away")

    folder = WatchedFolder(tmp_path, "intake", take, service.report, settle_seconds=0)
    (tmp_path / "intake-inbound" / "a.835").write_bytes(b"ISA")
    with pytest.raises(Transient):
        folder.poll()
    assert [path.name for path in (tmp_path / "intake-inbound").iterdir()] == ["a.835"]
    assert service.cases() == []
