"""Reads kept messages by today's readers, or by one that is named."""

from __future__ import annotations

from dataclasses import dataclass

from intake.adapters.charge_batches import read_part
from intake.adapters.fhir import FhirNames, read_kept
from intake.adapters.hl7v2 import SiteProfiles, read_message
from intake.application.deliveries import InboundDelivery
from intake.application.reprocessing import NotReadable, Original

ACTOR = "service:intake"
HL7, FHIR, CHARGE_BATCH = "hl7v2", "fhir-r4", "charge-batch"


@dataclass(frozen=True, slots=True)
class Rereading:
    """By the format that a message was kept in. HL7 v2 has several readers: `reader` is the name of a site profile."""

    profiles: SiteProfiles
    names: FhirNames

    def __call__(self, raw: bytes, original: Original, reader: str) -> InboundDelivery:
        """Raises NotReadable where there is no reader of this format, or none of this name."""
        if original.format == HL7:
            return read_message(raw, actor=ACTOR, profiles=self._profiles(reader)).delivery
        if reader:
            raise NotReadable(f"{original.format} has one reader; site profiles are of hl7v2")
        if original.format == FHIR:
            return read_kept(raw, self.names, original.source, ACTOR)
        if original.format == CHARGE_BATCH:
            return read_part(raw, actor=ACTOR)
        raise NotReadable(f"messages of format {original.format} are not read again here")

    def _profiles(self, reader: str) -> SiteProfiles:
        if not reader:
            return self.profiles
        named = [each for each in self.profiles.profiles if each.name == reader]
        if not named:
            raise NotReadable(f"no site profile is named {reader}")
        return SiteProfiles(tuple(each.model_copy(update={"senders": ("*|*",)}) for each in named))
