"""Translators at the edge: gRPC in and out."""
