"""Translators at the edge: ERPs and gRPC; nothing here decides."""
