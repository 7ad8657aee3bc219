"""Exceptions worked by call: listed, told with what may be done, given away, retried, and dismissed by one or by two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
from billing.operations.v1 import operations_pb2 as pb
from chassis.rpc import RemoteRefusal

from .noter import Noter, signed, status_of


@pytest.fixture
def noter() -> Iterator[Noter]:
    running = Noter()
    yield running
    running.running.server.stop(None).wait()


def test_a_case_is_listed_retried_and_dismissed_with_typed_refusals(noter: Noter) -> None:
    noter.receive("refused.v1")
    stub = noter.stub(signed())
    (case,) = stub.ListCases(pb.ListCasesRequest(state="open")).cases
    assert (case.code, case.subject) == ("NeverWelcome", "patient-registered")
    with pytest.raises(RemoteRefusal) as still_no:
        stub.RetryCase(pb.RetryCaseRequest(case_id=case.case_id, reason="again"))
    assert still_no.value.code == "NeverWelcome"
    with pytest.raises(RemoteRefusal) as no_reason:
        stub.DismissCase(pb.DismissCaseRequest(case_id=case.case_id, reason="x"))
    assert no_reason.value.code == "ReasonMissing"
    asked = pb.DismissCaseRequest(case_id=case.case_id, reason="known and settled")
    proposed = stub.DismissCase(asked).case
    assert (proposed.state, proposed.dismissal_by, proposed.needs_second_person) == ("open", "user:anna", True)
    assert stub.GetStatus(pb.GetStatusRequest()).parked_messages == 1
    dismissed = noter.stub(signed({"sub": "ben"})).DismissCase(asked).case
    assert (dismissed.state, dismissed.actor) == ("dismissed", "user:ben")
    assert stub.GetStatus(pb.GetStatusRequest()).parked_messages == 0
    assert noter.woken >= 3


def test_a_case_without_a_message_is_retried_as_its_service_mends_such_a_case(noter: Noter) -> None:
    subject_id, stub = uuid4(), noter.stub(signed())
    case_id = noter.open_case("Mendable", subject_id)
    retried = stub.RetryCase(pb.RetryCaseRequest(case_id=case_id, reason="the cause is gone")).case
    assert (retried.state, noter.mended) == ("retried", [(subject_id, "the cause is gone")])


def test_a_case_without_a_message_that_nobody_can_mend_stays_open(noter: Noter) -> None:
    stub = noter.stub(signed())
    case_id = noter.open_case("Unmendable", uuid4())
    with pytest.raises(RemoteRefusal):
        stub.RetryCase(pb.RetryCaseRequest(case_id=case_id, reason="once more"))
    assert stub.GetCase(pb.GetCaseRequest(case_id=case_id)).case.state == "open"


def test_a_case_says_why_it_waits_and_what_may_be_done_about_it_with_its_own_ids(noter: Noter) -> None:
    subject_id = uuid4()
    case_id = noter.open_case("Loose", subject_id)
    case = noter.stub(signed()).GetCase(pb.GetCaseRequest(case_id=case_id)).case
    assert (case.means, case.needs_second_person) == ("Money that nobody claims.", True)
    assert list(case.evidence) == [f"throughline trace {subject_id}"]
    assert [(each.name, each.command, each.scope) for each in case.actions] == [
        ("match", f"throughline things match {subject_id} OWNER", "things.write"),
        ("assign", f"throughline exceptions assign {case_id} --owner WHO", "claims.write"),
        ("dismiss", f"throughline exceptions dismiss {case_id} --reason WHY", "claims.write"),
    ]


def test_a_case_is_due_on_the_day_that_the_outside_set_else_on_that_of_its_kind(noter: Noter) -> None:
    stub, day = noter.stub(signed()), noter.clock().date()
    told, kind = noter.open_case("Loose", uuid4(), due_on=date(2026, 12, 24)), noter.open_case("Loose", uuid4())
    assert stub.GetCase(pb.GetCaseRequest(case_id=told)).case.due_on == "2026-12-24"
    assert stub.GetCase(pb.GetCaseRequest(case_id=kind)).case.due_on == (day + timedelta(days=3)).isoformat()


def test_a_case_whose_retry_can_do_something_says_so(noter: Noter) -> None:
    noter.open_case("Mendable", uuid4())
    noter.receive("refused.v1")
    cases = noter.stub(signed()).ListCases(pb.ListCasesRequest()).cases
    assert all("retry" in [each.name for each in case.actions] for case in cases)
    assert len(cases) == 2


def test_a_case_is_given_to_somebody_and_found_by_its_owner(noter: Noter) -> None:
    stub, case_id = noter.stub(signed()), noter.open_case("Loose", uuid4())
    mine = stub.AssignCase(pb.AssignCaseRequest(case_id=case_id)).case
    assert (mine.state, mine.owner) == ("assigned", "user:anna")
    assert stub.AssignCase(pb.AssignCaseRequest(case_id=case_id, owner="cash-team")).case.owner == "cash-team"
    assert [case.case_id for case in stub.ListCases(pb.ListCasesRequest(owner="cash-team")).cases] == [case_id]
    assert list(stub.ListCases(pb.ListCasesRequest(owner="user:anna")).cases) == []
    with pytest.raises(RemoteRefusal) as nobody:
        stub.AssignCase(pb.AssignCaseRequest(case_id=case_id, owner="Ann Smith, room 4"))
    assert nobody.value.code == "NobodyNamed"
    reader = noter.stub(signed({"scope": "claims.read"}))
    assert status_of(lambda: reader.AssignCase(pb.AssignCaseRequest(case_id=case_id))) == "PERMISSION_DENIED"


def test_where_money_is_left_a_second_person_has_to_agree_to_a_dismissal(noter: Noter) -> None:
    anna, ben = noter.stub(signed()), noter.stub(signed({"sub": "ben"}))
    case_id = noter.open_case("Loose", uuid4())
    asked = pb.DismissCaseRequest(case_id=case_id, reason="the bank took it back")
    assert anna.DismissCase(asked).case.state == "open"
    with pytest.raises(RemoteRefusal) as herself:
        anna.DismissCase(asked)
    assert herself.value.code == "SecondPersonNeeded"
    case = ben.DismissCase(asked).case
    assert (case.state, case.actor, case.dismissal_by) == ("dismissed", "user:ben", "user:anna")
    assert list(case.actions) == []


def test_a_proposed_dismissal_is_off_once_somebody_works_the_case(noter: Noter) -> None:
    anna, ben = noter.stub(signed()), noter.stub(signed({"sub": "ben"}))
    case_id = noter.open_case("Loose", uuid4())
    asked = pb.DismissCaseRequest(case_id=case_id, reason="the bank took it back")
    anna.DismissCase(asked)
    assert ben.AssignCase(pb.AssignCaseRequest(case_id=case_id)).case.dismissal_by == ""
    assert ben.DismissCase(asked).case.state == "assigned"
    assert anna.DismissCase(asked).case.state == "dismissed"
