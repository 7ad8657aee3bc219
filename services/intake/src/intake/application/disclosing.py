"""Shows PHI to callers that may see it, after recording that they did."""

from __future__ import annotations

from uuid import UUID

from canonical.ids import derive
from canonical.party import PatientDetails
from chassis.domain import Context
from chassis.eventstore import EventStore, Work, transact
from chassis.eventstore.work import UnknownAggregate
from chassis.inbound import InboundMessage, read_span
from chassis.keys import Sealer

from intake.domain.access import Disclosure
from intake.domain.clinical import ClinicalDetails
from intake.domain.encounter import Encounter
from intake.domain.patient import Patient

RAW_BYTES_MAX = 1_048_576


class Disclosing:
    """Every look is recorded before it is given; what cannot be recorded is not shown."""

    def __init__(self, store: EventStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def raw_span(self, context: Context, message_id: UUID, start: int, length: int) -> tuple[bytes, int]:
        """Bytes of a message, from `start`, and the message's size; with length 0 to its end, at most a MiB.

        Raises:
            UnknownAggregate, NoSuchBytes: there is no such message, or the range is not in it.
            ErasedKey: the bytes were erased.
        """
        message = Work(self._store, context).require(InboundMessage, message_id)
        wanted = length or min(RAW_BYTES_MAX, max(0, message.size_bytes - start))
        content = read_span(self._store, self._sealer, message_id, start, min(wanted, RAW_BYTES_MAX))
        self._record(context, "raw-span", message_id, start, len(content))
        return content, message.size_bytes

    def encounter_patient(self, context: Context, encounter_id: UUID) -> tuple[UUID, PatientDetails, ClinicalDetails]:
        """Who the patient of an encounter is, and what the encounter was for.

        Raises:
            UnknownAggregate: there is no such encounter.
            ErasedKey: the patient was erased.
        """
        work = Work(self._store, context)
        encounter = work.require(Encounter, encounter_id)
        assert encounter.facts is not None
        assert encounter.clinical is not None
        patient = work.require(Patient, encounter.facts.patient_id)
        assert patient.details is not None
        details = self._sealer.open(patient.details, PatientDetails)
        clinical = self._sealer.open(encounter.clinical, ClinicalDetails)
        self._record(context, "encounter-patient", encounter_id)
        return patient.id, details, clinical

    def patient(self, context: Context, patient_id: UUID) -> PatientDetails:
        """Who a patient is.

        Raises:
            UnknownAggregate: there is no such patient, or they were only named in a merge.
            ErasedKey: the patient was erased.
        """
        patient = Work(self._store, context).require(Patient, patient_id)
        if patient.details is None:
            raise UnknownAggregate(f"patient {patient_id} has not come in")
        details = self._sealer.open(patient.details, PatientDetails)
        self._record(context, "patient", patient_id)
        return details

    def raw_read_again(self, context: Context, message_id: UUID) -> None:
        """Records that a message is read again, by whom."""
        self._record(context, "raw-read-again", message_id)

    def resource_shown(self, context: Context, reference_id: UUID) -> None:
        """Records that a source read back a resource of its own."""
        self._record(context, "resource", reference_id)

    def _record(self, context: Context, what: str, subject_id: UUID, start: int = 0, length: int = 0) -> None:
        identity = derive("disclosure", context.meta.causation_id, what, subject_id, start, length)

        def decide(work: Work) -> None:
            disclosure = work.get_or_new(Disclosure, identity)
            if not disclosure.exists:
                disclosure.give(what, subject_id, start, length)

        transact(self._store, context, decide)
