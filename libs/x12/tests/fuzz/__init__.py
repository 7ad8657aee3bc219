"""Fuzzing of the reader: whatever the bytes, a typed verdict in bounded time and memory, and nothing accepted that does not add up."""
