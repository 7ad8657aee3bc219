"""Translators at the edge: FHIR, HL7, X12 files, gRPC. Nothing here decides."""
