"""`throughline patient`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from billing.intake.v1 import intake_pb2 as pb
from billing.intake.v1 import intake_pb2_grpc

from throughline.connection import Access, StateOption, access_to
from throughline.identity.telling import tell_details, tell_matches, tell_patient
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import JsonOption, say, show_json
from throughline.wire import data_of, identity_in

MATCHES_MAX = 5000

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
PatientArgument = Annotated[str, typer.Argument(metavar="PATIENT", help="A patient's pseudonym.")]
OtherArgument = Annotated[str, typer.Argument(metavar="OTHER", help="The other patient's pseudonym.")]
ReasonOption = Annotated[str, typer.Option(help="How that is known; it is kept for ever. No names of patients.")]


@app.callback()
def patient() -> None:
    """Which patients are one person. Nobody is named, but by `show --named`."""


@app.command()
@ends_with_a_code
def matches(
    in_state: Annotated[
        str, typer.Option("--in", metavar="STATE", help="open, merged, distinct, linked or unlikely.")
    ] = "open",
    limit: Annotated[int, typer.Option(min=1, max=MATCHES_MAX, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List pairs of patients who may be one person, the likeliest first, with their points.

    The JSON is an object with the list `matches`.
    """
    with _registry(state) as registry:
        found = registry.matches(pb.ListPatientMatchesRequest(state=in_state, limit=limit))
    if as_json:
        show_json(data_of(found))
    else:
        tell_matches(found.matches)
    return Exit.OK


@app.command()
@ends_with_a_code
def show(
    patient_id: PatientArgument,
    named: Annotated[bool, typer.Option("--named", help="Who it is too: PHI, and the look is recorded.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show with whom a patient is one person, and with whom they may be.

    The JSON has patient, and details with --named, which needs the scope phi.read: THROUGHLINE_CLIENT_ID and
    THROUGHLINE_CLIENT_SECRET name another client than the suite's operator.
    """
    wanted = identity_in(patient_id, "a patient")
    with _registry(state) as registry:
        found = registry.patient(wanted)
        details = registry.details(wanted) if named else None
    if as_json:
        show_json({"patient": data_of(found), "details": data_of(details) if details else None})
        return Exit.OK
    tell_patient(found)
    if details:
        tell_details(details)
    return Exit.OK


@app.command()
@ends_with_a_code
def merge(
    retired: Annotated[str, typer.Argument(metavar="RETIRED", help="The patient who is another record of the person.")],
    survivor: Annotated[str, typer.Argument(metavar="SURVIVOR", help="The patient as whom the person stands.")],
    reason: ReasonOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say that two patients are one person; nothing moves between their accounts.

    Exit code: 1 where what is known contradicts it, such as a merge the other way round.
    """
    request = pb.MergePatientsRequest(
        retired_id=identity_in(retired, "a patient"), survivor_id=identity_in(survivor, "a patient"), reason=reason
    )
    with _registry(state) as registry:
        merged = registry.merge(request)
    return _told(as_json, data_of(merged), f"Both stand as {merged.person_id} now; `unmerge` takes it back.")


@app.command()
@ends_with_a_code
def unmerge(
    one: PatientArgument,
    other: OtherArgument,
    reason: ReasonOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Take a merge back, whoever said it, and whichever of the two survived.

    Exit code: 1 where neither is merged into the other.
    """
    request = pb.UnmergePatientsRequest(
        retired_id=identity_in(one, "a patient"), survivor_id=identity_in(other, "a patient"), reason=reason
    )
    with _registry(state) as registry:
        registry.unmerge(request)
    return _told(as_json, {"unmerged": True}, "They are two persons again, each with what was recorded under them.")


@app.command()
@ends_with_a_code
def distinct(
    one: PatientArgument,
    other: OtherArgument,
    reason: ReasonOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say that two patients are two persons; they are not suggested again."""
    request = pb.DistinguishPatientsRequest(
        patient_id=identity_in(one, "a patient"), other_id=identity_in(other, "a patient"), reason=reason
    )
    with _registry(state) as registry:
        registry.distinguish(request)
    return _told(as_json, {"distinct": True}, "They are two persons, and are not suggested again.")


class _Registry:
    """The calls to intake about patients."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stub = intake_pb2_grpc.IntakeServiceStub(access.channel("intake"))

    def matches(self, request: pb.ListPatientMatchesRequest) -> pb.ListPatientMatchesResponse:
        return self._access.call("intake", self._stub.ListPatientMatches, request)

    def patient(self, patient_id: str) -> pb.GetPatientResponse:
        return self._access.call("intake", self._stub.GetPatient, pb.GetPatientRequest(patient_id=patient_id))

    def details(self, patient_id: str) -> pb.GetPatientDetailsResponse:
        request = pb.GetPatientDetailsRequest(patient_id=patient_id)
        return self._access.call("intake", self._stub.GetPatientDetails, request)

    def merge(self, request: pb.MergePatientsRequest) -> pb.MergePatientsResponse:
        return self._access.call("intake", self._stub.MergePatients, request)

    def unmerge(self, request: pb.UnmergePatientsRequest) -> pb.UnmergePatientsResponse:
        return self._access.call("intake", self._stub.UnmergePatients, request)

    def distinguish(self, request: pb.DistinguishPatientsRequest) -> pb.DistinguishPatientsResponse:
        return self._access.call("intake", self._stub.DistinguishPatients, request)


@contextmanager
def _registry(state: Path | None) -> Iterator[_Registry]:
    with access_to(state) as access:
        yield _Registry(access)


def _told(as_json: bool, data: dict[str, object], sentence: str) -> Exit:
    if as_json:
        show_json(data)
    else:
        say(sentence)
    return Exit.OK
