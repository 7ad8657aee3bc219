"""Questions about who is one person, and what a person here decides about it."""

from __future__ import annotations

from uuid import UUID

import grpc
from billing.intake.v1 import intake_pb2 as pb
from canonical.party import Address
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.keys import ErasedKey, Sealer
from chassis.merged_patients import GROUP_MAX, PATIENT_MERGES, group_of
from chassis.rpc import BadArgument, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from intake.adapters.rows import limit_in, number_of, text_of
from intake.application.disclosing import Disclosing
from intake.application.envelopes import Envelopes
from intake.application.merging import mark_distinct
from intake.application.merging_by_person import PeopleMerging
from intake.application.patient_rows import MATCHES, matches_of
from intake.application.ports import MasterDataSource
from intake.application.queries import ENCOUNTERS
from intake.domain.patient import Patient
from intake.domain.patient_match import MatchState

REASON_CHARACTERS_MIN, REASON_CHARACTERS_MAX = 5, 500
PATIENT_READS = ("GetPatient", "ListPatientMatches")
PATIENT_SCOPES = dict.fromkeys(PATIENT_READS, "intake.read") | {
    "GetPatientDetails": "phi.read",
    "MergePatients": "intake.patients.write",
    "UnmergePatients": "intake.patients.write",
    "DistinguishPatients": "intake.patients.write",
}


class PatientAnswers:
    """Patients by their pseudonyms; their details only by a call of its own."""

    _core: ServiceCore
    _store: EventStore
    _disclosing: Disclosing
    _sealer: Sealer
    _master_data: MasterDataSource

    def GetPatient(self, request: pb.GetPatientRequest, context: grpc.ServicerContext) -> pb.GetPatientResponse:
        patient_id = uuid_in(request.patient_id, "patient_id")
        patient = Work(self._store, call_context(self._core.clock())).get(Patient, patient_id)
        if patient is None:
            raise NotThere("no patient has this id")
        group = group_of(self._store, patient_id)
        merges = self._store.rows(PATIENT_MERGES, {"retired_id": group}, order=("told_at",), limit=GROUP_MAX)
        counts = self._store.sums(ENCOUNTERS, (), (), {"patient_id": group})
        return pb.GetPatientResponse(
            patient_id=str(patient_id),
            source_system=patient.match_keys.source if patient.match_keys else "",
            person_id=str(group[0]),
            merges=[_merge(row) for row in merges if row["survivor_id"] is not None],
            linked_patient_ids=sorted(map(str, patient.linked_ids)),
            matches=map(_match, matches_of(self._store, patient_id)),
            encounter_count=sum(number_of(row["count"]) for row in counts),
        )

    def GetPatientDetails(
        self, request: pb.GetPatientDetailsRequest, context: grpc.ServicerContext
    ) -> pb.GetPatientDetailsResponse:
        patient_id = uuid_in(request.patient_id, "patient_id")
        try:
            details = self._disclosing.patient(call_context(self._core.clock()), patient_id)
        except ErasedKey:
            raise NotThere("this patient has been erased") from None
        return pb.GetPatientDetailsResponse(
            patient_id=str(patient_id),
            family_name=details.family_name,
            given_name=details.given_name,
            birth_date=details.birth_date.isoformat(),
            sex=details.sex,
            address=_one_line(details.address),
        )

    def ListPatientMatches(
        self, request: pb.ListPatientMatchesRequest, context: grpc.ServicerContext
    ) -> pb.ListPatientMatchesResponse:
        state = request.state or MatchState.OPEN.value
        if state not in list(MatchState):
            raise BadArgument(f"state: {', '.join(MatchState)}")
        rows = self._store.rows(MATCHES, {"state": state}, order=("-score", "match_id"), limit=limit_in(request.limit))
        return pb.ListPatientMatchesResponse(matches=map(_match, rows))

    def MergePatients(
        self, request: pb.MergePatientsRequest, context: grpc.ServicerContext
    ) -> pb.MergePatientsResponse:
        survivor_id, retired_id = _pair(request.survivor_id, "survivor_id", request.retired_id, "retired_id")
        reason = _reason(request.reason)
        cause = call_context(self._core.clock())
        person_id = transact(
            self._store, cause, lambda work: self._merging(work).merge(survivor_id, retired_id, reason=reason)
        )
        return pb.MergePatientsResponse(person_id=str(person_id))

    def UnmergePatients(
        self, request: pb.UnmergePatientsRequest, context: grpc.ServicerContext
    ) -> pb.UnmergePatientsResponse:
        pair = _pair(request.survivor_id, "survivor_id", request.retired_id, "retired_id")
        reason = _reason(request.reason)
        transact(
            self._store, call_context(self._core.clock()), lambda work: self._merging(work).part(pair, reason=reason)
        )
        return pb.UnmergePatientsResponse()

    def _merging(self, work: Work) -> PeopleMerging:
        return PeopleMerging(work, Envelopes(self._sealer), self._master_data())

    def DistinguishPatients(
        self, request: pb.DistinguishPatientsRequest, context: grpc.ServicerContext
    ) -> pb.DistinguishPatientsResponse:
        pair = _pair(request.patient_id, "patient_id", request.other_id, "other_id")
        reason = _reason(request.reason)
        transact(self._store, call_context(self._core.clock()), lambda work: mark_distinct(work, *pair, reason=reason))
        return pb.DistinguishPatientsResponse()


def _pair(one: str, one_name: str, other: str, other_name: str) -> tuple[UUID, UUID]:
    return uuid_in(one, one_name), uuid_in(other, other_name)


def _reason(text: str) -> str:
    reason = text.strip()
    if not REASON_CHARACTERS_MIN <= len(reason) <= REASON_CHARACTERS_MAX:
        raise BadArgument(f"reason: {REASON_CHARACTERS_MIN} to {REASON_CHARACTERS_MAX} characters, how it is known")
    return reason


def _one_line(address: Address) -> str:
    return ", ".join(filter(None, (address.line, address.city, address.state, address.postal_code)))


def _merge(row: Row) -> pb.PatientMerge:
    return pb.PatientMerge(
        retired_id=text_of(row["retired_id"]),
        survivor_id=text_of(row["survivor_id"]),
        actor=text_of(row["actor"]),
        merged_at=text_of(row["told_at"]),
    )


def _match(row: Row) -> pb.PatientMatch:
    names = ("match_id", "first_id", "second_id", "kind", "state", "likeness", "reason", "actor", "suggested_at")
    return pb.PatientMatch(score=number_of(row["score"]), **{name: text_of(row[name]) for name in names})
