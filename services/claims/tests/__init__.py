"""Tests of the claims service."""
