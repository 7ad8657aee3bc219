"""Patients in tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable

from billing.intake.v1 import intake_pb2 as pb

from throughline.screen import Column, say, show_table

_MATCHES = (
    Column("points", right=True),
    Column("patient"),
    Column("other"),
    Column("kind"),
    Column("state"),
    Column("how they agree", flexible=True),
)
_MERGES = (Column("retired"), Column("survivor"), Column("when"), Column("who said so"))


def tell_matches(matches: Iterable[pb.PatientMatch]) -> None:
    rows = [
        [str(each.score), each.first_id, each.second_id, each.kind, each.state, each.likeness or each.reason]
        for each in matches
    ]
    if not rows:
        say("No pairs of patients.")
        return
    show_table(_MATCHES, rows)
    say("`throughline patient merge` or `throughline patient distinct` decides one; `show` tells more of a patient.")


def tell_patient(patient: pb.GetPatientResponse) -> None:
    say(f"Patient {patient.patient_id} of {patient.source_system or 'an unknown source'}", style="bold")
    if patient.person_id != patient.patient_id:
        say(f"One person with {patient.person_id}, as whom they stand.")
    say(f"{patient.encounter_count} encounters of the person.")
    if patient.merges:
        show_table(
            _MERGES, ([each.retired_id, each.survivor_id, each.merged_at, each.actor] for each in patient.merges)
        )
    for linked_id in patient.linked_patient_ids:
        say(f"The same identifier as patient {linked_id} of another source.")
    if patient.matches:
        tell_matches(patient.matches)


def tell_details(details: pb.GetPatientDetailsResponse) -> None:
    say(f"{details.family_name}, {details.given_name}, born {details.birth_date}, {details.sex}; {details.address}")
