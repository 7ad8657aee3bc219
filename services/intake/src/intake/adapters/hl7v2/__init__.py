"""The HL7 v2 door: ADT^A04, ADT^A08 and DFT^P03 over MLLP."""

from intake.adapters.hl7v2.acknowledgement import acknowledgement
from intake.adapters.hl7v2.mllp import MllpDoor
from intake.adapters.hl7v2.translation import Hl7Reading, read_message

__all__ = ["Hl7Reading", "MllpDoor", "acknowledgement", "read_message"]
