"""Customer accounts: each party is one customer at its ERP whatever goes wrong, known both ways, and never by a name."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import grpc
import pytest
from billing.ledger.v1 import parties_pb2 as pb
from canonical.ids import derive
from chassis.domain import Refusal
from chassis.eventstore.work import UnknownAggregate
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from chassis.testing import context
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.adapters.grpc_parties import SCOPES, Parties, party_service
from ledger_adapter.adapters.netsuite import NetSuiteErp
from ledger_adapter.adapters.netsuite_client import NetSuiteConnection
from ledger_adapter.application.parties import LINKED_PER_RUN_MAX, PARTIES, PartySync, UnknownParty
from ledger_adapter.application.ports import Erp, ErpParty, ErpUncertain, KeptParty, PartyKeeper, RefusalKind, Refused
from ledger_adapter.domain.party_account import (
    MergeNeedsReason,
    PartyIsAnotherKind,
    PartyKind,
    PartyWasMerged,
)
from pydantic import ValidationError
from sandbox.erps.netsuite import NetSuiteDouble
from sandbox.world.misbehaviour import Fault

from .erps_under_test import netsuite_plan, sample_books
from .examples import PATIENT
from .world import World

CALL: grpc.ServicerContext = None  # type: ignore[assignment]
FAULTS = (ErpFault.TIMEOUT_AFTER_WORK, ErpFault.TIMEOUT_BEFORE_WORK, ErpFault.SEEN_LATE)


class Desk:
    """The calls of the service on a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sync = PartySync(world.store, world.clock, OneErpForAll(world.erp, ("NORTH", "SOUTH")), world.master)
        self._calls = Parties(world.core, self.sync)

    def upsert(self, code: str, kind: str = "payer", entity: str = "NORTH") -> pb.Party:
        request = pb.UpsertPartyRequest(entity=entity, code=code, kind=kind)
        with caused_by(incoming("clerk", None, None)):
            return self._calls.UpsertParty(request, CALL).party

    def get(self, code: str, *, by_erp_code: bool = False) -> pb.GetPartyResponse:
        return self._calls.GetParty(pb.GetPartyRequest(entity="NORTH", code=code, by_erp_code=by_erp_code), CALL)

    def listed(self, size: int, token: str = "") -> pb.ListPartiesResponse:
        return self._calls.ListParties(pb.ListPartiesRequest(entity="NORTH", page_size=size, page_token=token), CALL)

    def merge(self, code: str, into: str, reason: str = "the payers became one") -> pb.Party:
        request = pb.MergePartiesRequest(entity="NORTH", code=code, into=into, reason=reason)
        with caused_by(incoming("clerk", None, None)):
            return self._calls.MergeParties(request, CALL).party


def desk(erp: FakeErp | None = None) -> Desk:
    return Desk(World(erp=erp or FakeErp()))


def test_a_party_is_made_at_the_erp_once_and_is_known_both_ways() -> None:
    ours = desk()
    made = ours.upsert("ACME")
    assert (made.state, made.erp_code, made.erp_id) == ("linked", "ACME", "CUSTOMER-1")
    position = ours.world.store.last_position()
    assert ours.upsert("ACME") == made
    assert ours.world.store.last_position() == position
    assert ours.world.erp.customers == {"ACME": "CUSTOMER-1"}
    assert ours.get("ACME").party == ours.get("ACME", by_erp_code=True).party == made
    with pytest.raises(NotThere):
        ours.get("MEDICARE")


def test_a_customer_that_the_erp_has_is_linked_and_not_made_again() -> None:
    ours = desk(FakeErp(customers={"ACME": "OLD-9"}))
    assert ours.upsert("ACME").erp_id == "OLD-9"
    assert ours.upsert("ACME", entity="SOUTH").erp_id == "OLD-9"
    assert ours.world.erp.customers == {"ACME": "OLD-9"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(FAULTS), max_size=4), st.lists(st.sampled_from(["ACME", "MEDICARE"]), max_size=5))
def test_each_party_is_one_customer_whatever_goes_wrong(faults: list[ErpFault], codes: list[str]) -> None:
    ours = desk(FakeErp(faults=faults))
    for code in codes:
        ours.upsert(code)
    for _ in range(10):
        ours.sync.run()
    assert set(ours.world.erp.customers) == set(codes)
    assert all(ours.get(code).party.erp_id == ours.world.erp.customers[code] for code in codes)


def test_an_erp_that_is_down_gets_its_customers_when_it_is_back() -> None:
    ours = desk(FakeErp(is_down=True))
    assert ours.upsert("ACME").state == "registered"
    assert ours.sync.run() == 0
    ours.world.erp.is_down = False
    assert ours.sync.run() == 1
    assert ours.get("ACME").party.state == "linked"
    assert ours.sync.run() == 0


def test_a_customer_that_the_erp_refuses_waits_for_a_person_with_the_reason() -> None:
    ours = desk(FakeErp(refused_numbers={"ACME": RefusalKind.INVALID}))
    told = ours.upsert("ACME")
    assert (told.state, told.reason) == ("refused", "ErpRejected: refused on request")
    assert ours.sync.run() == 0
    ours.world.erp.refused_numbers.clear()
    mended = ours.upsert("ACME")
    assert (mended.state, mended.reason) == ("linked", "")


class OnlyJournals:
    """An ERP that makes no customers for us."""

    name = "only-journals"


class NorthMakesNoCustomers(OneErpForAll):
    """Two ERPs, of which the first takes journals alone."""

    def of(self, entity: str) -> Erp:
        return cast("Erp", OnlyJournals()) if entity == "NORTH" else super().of(entity)


def test_parties_of_an_erp_that_makes_no_customers_stay_registered_and_keep_no_others_waiting() -> None:
    world = World(erp=FakeErp(is_down=True))
    erps = NorthMakesNoCustomers(world.erp, ("NORTH", "SOUTH"))
    sync = PartySync(world.store, world.clock, erps, world.master)
    for number in range(LINKED_PER_RUN_MAX + 1):
        code = str(derive("test-account", number))
        sync.upsert(context(), ErpParty(entity="NORTH", code=code, kind=PartyKind.PATIENT_ACCOUNT))
    sync.upsert(context(), ErpParty(entity="SOUTH", code="ACME", kind=PartyKind.PAYER))
    world.erp.is_down = False
    assert sync.run() == 1
    assert world.erp.customers == {"ACME": "CUSTOMER-1"}
    assert {str(row["state"]) for row in world.rows(PARTIES, entity="NORTH")} == {"registered"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DOE-JOHN", "payer"),
        ("DOE-JOHN", "patients"),
        ("PATIENTS-SOUTH", "patients"),
        ("DOE-JOHN", "patient-account"),
        (str(PATIENT).upper(), "patient-account"),
        ("MRN-4711", "patient-account"),
    ],
)
def test_a_code_that_could_be_a_name_is_refused_before_anything_is_kept_or_sent(code: str, kind: str) -> None:
    ours = desk()
    with pytest.raises(UnknownParty) as refused:
        ours.upsert(code, kind)
    assert code not in str(refused.value)
    assert ours.world.store.last_position() == 0
    assert ours.world.erp.calls == 0


def test_patients_are_one_party_of_their_entity_or_accounts_by_pseudonym() -> None:
    ours = desk()
    assert ours.upsert("PATIENTS-NORTH", "patients").state == "linked"
    assert ours.upsert(str(PATIENT), "patient-account").erp_code == str(PATIENT)


def test_a_kind_that_is_none_and_a_code_with_words_in_it_are_refused() -> None:
    with pytest.raises(BadArgument, match="kind: one of payer, patients, patient-account"):
        desk().upsert("ACME", "person")
    with pytest.raises(ValidationError) as refused:
        desk().upsert("John Doe")
    assert "John" not in str(refused.value)


def test_a_merged_party_leads_to_the_one_that_stands_for_it_and_stays_what_it_was() -> None:
    ours = desk()
    ours.upsert("ACME")
    ours.upsert("MEDICARE")
    merged = ours.merge("ACME", "MEDICARE")
    assert (merged.state, merged.merged_into, merged.erp_id) == ("merged", "MEDICARE", "CUSTOMER-1")
    assert ours.merge("ACME", "MEDICARE") == merged
    assert ours.get("ACME").stands_for.code == "MEDICARE"
    assert ours.get("MEDICARE").stands_for.code == "MEDICARE"
    assert ours.upsert("ACME") == merged


@pytest.mark.parametrize(
    ("code", "into", "reason", "refusal"),
    [
        ("ACME", "ACME", "the same one", MergeNeedsReason),
        ("ACME", "MEDICARE", "x", MergeNeedsReason),
        ("ACME", "PATIENTS-NORTH", "of another kind", PartyIsAnotherKind),
        ("ACME", "NOBODY", "not there at all", UnknownAggregate),
    ],
)
def test_a_merge_that_means_nothing_is_refused(code: str, into: str, reason: str, refusal: type[Exception]) -> None:
    ours = desk()
    ours.upsert("ACME")
    ours.upsert("MEDICARE")
    ours.upsert("PATIENTS-NORTH", "patients")
    with pytest.raises(refusal):
        ours.merge(code, into, reason)


def test_merges_never_go_in_a_circle() -> None:
    ours = desk()
    ours.upsert("ACME")
    ours.upsert("MEDICARE")
    ours.merge("ACME", "MEDICARE")
    with pytest.raises(PartyWasMerged):
        ours.merge("MEDICARE", "ACME")


def test_a_code_stands_for_one_kind_alone() -> None:
    ours = desk()
    ours.upsert(str(PATIENT), "patient-account")
    party = ErpParty(entity="NORTH", code=str(PATIENT), kind=PartyKind.PAYER)
    with pytest.raises(Refusal):
        ours.upsert(party.code, "payer")


@pytest.mark.parametrize("size", [1, 2, 50])
def test_parties_are_listed_by_code_page_by_page(size: int) -> None:
    ours = desk()
    ours.upsert("MEDICARE")
    ours.upsert("PATIENTS-NORTH", "patients")
    ours.upsert("ACME")
    found, token = [], ""
    while True:
        page = ours.listed(size, token)
        found += [each.code for each in page.parties]
        token = page.next_page_token
        if not token:
            break
    assert found == ["ACME", "MEDICARE", "PATIENTS-NORTH"]
    with pytest.raises(BadArgument, match="page_token"):
        ours.listed(size, "nothing")


def test_reading_and_writing_have_their_scopes() -> None:
    ours = desk()
    assert party_service(ours.world.core, ours.sync).scopes is SCOPES
    assert SCOPES["UpsertParty"] == SCOPES["MergeParties"] == "ledger.write"


def test_netsuite_makes_a_customer_once_by_its_external_id(tmp_path: Path) -> None:
    party = ErpParty(entity="NORTH", code="PATIENTS-NORTH", kind=PartyKind.PATIENTS)
    with NetSuiteDouble(netsuite_plan()) as double:
        erp = NetSuiteErp("netsuite", NetSuiteConnection.read(double.write_connection(tmp_path)), sample_books())
        assert isinstance(erp, PartyKeeper)
        assert erp.find_party("NORTH", "PATIENTS-NORTH") is None
        post = "POST /services/rest/record/v1/customer"
        double.misbehaviour.request(Fault.ERROR_AFTER_WORK, target=post)
        with pytest.raises(ErpUncertain):
            erp.create_party(party)
        again = erp.create_party(party)
        assert isinstance(again, Refused)
        assert again.kind is RefusalKind.NUMBER_TAKEN
        kept = erp.find_party("NORTH", "PATIENTS-NORTH")
        assert kept == KeptParty("PATIENTS-NORTH", kept.erp_id if kept else "")
        erp.close()
