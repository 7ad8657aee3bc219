"""Fuzzing of the FHIR reader: whatever the bytes, an answer in bounded time, no cent changed, and nothing of a patient told."""
