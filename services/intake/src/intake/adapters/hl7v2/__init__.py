"""The HL7 v2 door: ADT, DFT and BAR over MLLP and in batch files."""

from intake.adapters.hl7v2.acknowledgement import acknowledgements
from intake.adapters.hl7v2.mllp import MllpDoor
from intake.adapters.hl7v2.reading import Hl7Reading, read_message

__all__ = ["Hl7Reading", "MllpDoor", "acknowledgements", "read_message"]
