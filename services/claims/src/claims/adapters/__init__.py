"""Translators at the edge: X12, the exchange folder, the key database, gRPC. Nothing here decides."""
