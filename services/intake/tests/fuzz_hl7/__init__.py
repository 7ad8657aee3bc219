"""Fuzzing of HL7 v2: whatever the bytes, a typed answer in bounded time, without a patient's name in it."""
