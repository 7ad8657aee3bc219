"""What every reader of a part of a message has at hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.site_profiles import SiteProfile
from intake.adapters.hl7v2.stamps import local_stamp
from intake.domain.facts import Link
from intake.domain.identities import charge_id_of, encounter_id_of, guarantor_id_of, patient_id_of
from intake.domain.refusals import Finding

FACILITY_MARK = "|"


@dataclass(slots=True)
class Reading:
    """One message while it is read. What is wrong is gathered in `findings`; `notes` tell what was left out, and why."""

    source: str
    facility: str
    control_id: str
    profile: SiteProfile
    said_at: datetime | None = None
    diagnoses_follow_transactions: bool = False
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def need(self, place: str, note: str) -> None:
        """Refuses the message for something that is not there."""
        self.refuse(place, "required", note)

    def refuse(self, place: str, rule: str, note: str) -> None:
        self.findings.append(Finding(place, rule, note))

    def leave_out(self, place: str, rule: str, note: str) -> None:
        """Tells the sender of something that was kept in the raw bytes alone."""
        told = f"{place}: {rule}: {note}"
        if told not in self.notes:
            self.notes.append(told)

    def patient_id(self, number: str) -> UUID:
        return patient_id_of(self.source, self._own(number))

    def charge_id(self, number: str) -> UUID:
        return charge_id_of(self.source, self._own(number))

    def guarantor_id(self, number: str) -> UUID:
        return guarantor_id_of(self.source, self._own(number))

    def local(self, stamp: str) -> str:
        """A time stamp as the clocks of the site show it."""
        return local_stamp(stamp, self.profile.zone)

    def visit(self, number: str) -> Link:
        return Link(id=self.visit_id(number))

    def visit_id(self, number: str) -> UUID:
        return encounter_id_of(self.source, self._own(number))

    def _own(self, number: str) -> str:
        """The number as it is unique: some systems count in each facility by itself."""
        return f"{self.facility}{FACILITY_MARK}{number}" if self.profile.numbers_per_facility else number


def value_at(place: str, message: Message) -> str:
    """What stands at `SEG-field` or `SEG-field.component` in the first such segment."""
    name, _, number = place.partition("-")
    segment = message.first(name)
    return value_in(segment, number) if segment else ""


def value_in(segment: Segment, number: str) -> str:
    """What stands at `field` or `field.component` of the segment."""
    of_field, _, component = number.partition(".")
    return segment.field(int(of_field), int(component or 1))


def first_value(places: Iterable[str], message: Message) -> str:
    """The first value that one of the places has."""
    return next(filter(None, (value_at(place, message) for place in places)), "")
