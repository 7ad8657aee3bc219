"""The HL7 v2 door: ADT, DFT and BAR over MLLP and in batch files."""

from intake.adapters.hl7v2.acknowledgement import acknowledgements
from intake.adapters.hl7v2.batch_files import BatchDoor
from intake.adapters.hl7v2.mllp import MllpDoor, server_tls
from intake.adapters.hl7v2.reading import EVERY_SOURCE, UNTRUSTED_SOURCE, Hl7Reading, read_message
from intake.adapters.hl7v2.site_profiles import SiteProfiles, UnusableProfiles, read_profiles

__all__ = [
    "EVERY_SOURCE",
    "UNTRUSTED_SOURCE",
    "BatchDoor",
    "Hl7Reading",
    "MllpDoor",
    "SiteProfiles",
    "UnusableProfiles",
    "acknowledgements",
    "read_message",
    "read_profiles",
    "server_tls",
]
