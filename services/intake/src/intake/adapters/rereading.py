"""Reads kept messages by today's readers, or by one that is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chassis.inbound.giving_way import GivingWay
from x12.policy import PolicyOf

from intake.adapters.charge_batches import read_part
from intake.adapters.fhir import FhirNames, read_kept
from intake.adapters.hl7v2 import EVERY_SOURCE, UNTRUSTED_SOURCE, SiteProfiles, read_message
from intake.adapters.platform_reports.file import KIND as PLATFORM_REPORT
from intake.adapters.x12_files import X12File
from intake.application.deliveries import InboundDelivery
from intake.application.ports import PayerFile
from intake.application.rereadings import NotReadable, Original

ACTOR = "service:intake"
HL7, FHIR, CHARGE_BATCH, X12 = "hl7v2", "fhir-r4", "charge-batch", "x12"


@dataclass(frozen=True, slots=True)
class Rereading:
    """By the format that a message was kept in. HL7 v2 has several readers: `reader` is the name of a site profile.

    What is held against X12 is its sender's policy of today; reading it gives way to whoever waits at a door.
    """

    profiles: SiteProfiles
    names: FhirNames
    policies_today: Callable[[], PolicyOf]
    way: GivingWay

    def __call__(self, raw: bytes, original: Original, reader: str) -> InboundDelivery | PayerFile:
        """Raises NotReadable where there is no reader of this format, or none of this name."""
        if original.format == HL7:
            sources = () if original.source == UNTRUSTED_SOURCE else (EVERY_SOURCE,)
            return read_message(raw, actor=ACTOR, profiles=self._profiles(reader), sources=sources).delivery
        if reader:
            raise NotReadable(f"{original.format} has one reader; site profiles are of hl7v2")
        if original.format == FHIR:
            return read_kept(raw, self.names, original.source, ACTOR)
        if original.format == CHARGE_BATCH:
            return read_part(raw, actor=ACTOR)
        if original.format == X12:
            policies = self.policies_today()
            return X12File(original.delivery_key, raw, source=original.source, policies=policies, way=self.way)
        if original.format == PLATFORM_REPORT:
            raise NotReadable("reports of platforms are not read again: the next one says what holds")
        raise NotReadable(f"messages of format {original.format} are not read again here")

    def _profiles(self, reader: str) -> SiteProfiles:
        if not reader:
            return self.profiles
        named = [each for each in self.profiles.profiles if each.name == reader]
        if not named:
            raise NotReadable(f"no site profile is named {reader}")
        return SiteProfiles(tuple(each.model_copy(update={"senders": ("*|*",)}) for each in named))
