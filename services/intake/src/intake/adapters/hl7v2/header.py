"""MSH: who sends what to whom, in which version, and which acknowledgements are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.site_profiles import SiteProfile
from intake.adapters.hl7v2.triggers import TRIGGERS, Trigger
from intake.adapters.hl7v2.wire import CHARACTER_SETS
from intake.domain.refusals import Finding

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
NAME_CHARACTERS_MAX = 64
BATCH_HEADERS = (b"FHS", b"BHS")
BATCH_HEADER_BYTES_MAX = 2_000
BATCH_NUMBER = 11
"""FHS-11 and BHS-11 number the file and the batch."""


class Wanted(StrEnum):
    """When an acknowledgement is wanted (HL7 table 0155)."""

    ALWAYS = "AL"
    NEVER = "NE"
    ON_ERROR = "ER"
    ON_SUCCESS = "SU"

    def holds(self, *, accepted: bool) -> bool:
        return self is Wanted.ALWAYS or self is (Wanted.ON_SUCCESS if accepted else Wanted.ON_ERROR)


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says; a value that may not stand in keys and events is kept only in the sealed bytes.

    `accept` and `application` are both None in original mode, where every message is answered once. `profile` is the
    name of the site profile that reads the message.
    """

    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    kind: tuple[str, str] = ("", "")
    control_id: str = ""
    version: str = ""
    processing_id: str = ""
    character_set: str = ""
    accept: Wanted | None = None
    application: Wanted | None = None
    profile: str = ""

    @property
    def trigger(self) -> Trigger | None:
        return TRIGGERS.get(self.kind)

    @property
    def is_enhanced(self) -> bool:
        return self.accept is not None or self.application is not None


def header_of(message: Message) -> Header:
    """The header as it stands; `faults_of` says what is wrong with it."""
    msh = message.rows[0]
    return Header(
        sender=(msh.field(3), msh.field(4)),
        receiver=(msh.field(5), msh.field(6)),
        kind=_kind(msh),
        control_id=msh.field(10),
        version=msh.field(12),
        processing_id=msh.field(11),
        character_set=msh.field(18).upper() if msh.field(18).upper() in CHARACTER_SETS else "",
        accept=_wanted(msh.field(15)),
        application=_wanted(msh.field(16)),
    )


def header_of_batch(raw: bytes) -> Header:
    """Who sends a batch (FHS, BHS), and under which number, as far as that can stand in an answer."""
    fields = raw[:BATCH_HEADER_BYTES_MAX].split(b"\r")[0].split(raw[3:4] or b"|")
    named = [part.decode("ascii", "replace") if len(part) <= NAME_CHARACTERS_MAX else "" for part in fields]
    named += [""] * (BATCH_NUMBER - len(named))
    return Header(sender=(named[2], named[3]), receiver=(named[4], named[5]), control_id=named[BATCH_NUMBER - 1])


def faults_of(message: Message, header: Header, profile: SiteProfile | None) -> list[Finding]:
    """Why the message cannot be taken, whatever else is in it."""
    findings: list[Finding] = []
    if len(message.segments("MSH")) > 1:
        findings.append(Finding("MSH", "one-message", "one message in a frame"))
    if message.first("DSC") or message.first("ADD"):
        findings.append(Finding("DSC", "continuation", "the whole message at once"))
    for number, value in ((3, header.sender[0]), (4, header.sender[1]), (10, header.control_id)):
        if not is_name(value):
            findings.append(Finding(f"MSH-{number}", "required", f"1 to {NAME_CHARACTERS_MAX} printable characters"))
    if header.kind[0] not in {kind for kind, _ in TRIGGERS}:
        findings.append(Finding("MSH-9", "message-type", "ADT, DFT or BAR"))
    elif header.trigger is None:
        known = ", ".join(event for kind, event in TRIGGERS if kind == header.kind[0])
        findings.append(Finding("MSH-9", "trigger-event", f"of {header.kind[0]}: {known}"))
    if header.version not in VERSIONS:
        findings.append(Finding("MSH-12", "version", f"HL7 version {VERSIONS[0]} to {VERSIONS[-1]}"))
    if profile is None:
        findings.append(Finding("MSH-3", "unknown-sender", "a site profile for this sender"))
    elif header.processing_id not in profile.processing_ids:
        taken = ", ".join(profile.processing_ids)
        findings.append(Finding("MSH-11", "processing-id", f"profile {profile.name} takes {taken}"))
    return findings


def is_name(value: str) -> bool:
    """Whether the header's value may stand in keys, indexes and events."""
    return 0 < len(value) <= NAME_CHARACTERS_MAX and value.isprintable()


def _kind(msh: Segment) -> tuple[str, str]:
    """Type and event; version 2.3 knows no component for the structure, nor do we ask for it."""
    return msh.field(9, 1), msh.field(9, 2)


def _wanted(text: str) -> Wanted | None:
    return next((each for each in Wanted if each.value == text), None)
