"""Diagnoses of an encounter: one list, to which each charge points by number."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.classes import CanonicalModel, Phi


class ClinicalDetails(CanonicalModel):
    """The content of kind `clinical.v1`."""

    diagnosis_codes: tuple[Phi[str], ...] = ()
    account_number: Phi[str] = ""


def merged_diagnoses(known: Sequence[str], seen: Sequence[str], *, pointed_at: bool) -> tuple[str, ...]:
    """The list after a message; once charges point into it, it only grows, so that their pointers stay right."""
    if not pointed_at and seen:
        return tuple(dict.fromkeys(seen))
    return tuple(dict.fromkeys([*known, *seen]))


def pointers_to(codes: Sequence[str], pointed: Sequence[str]) -> tuple[int, ...]:
    """Where the charge's diagnoses stand in the list, from 1; the first of all where the charge names none."""
    return tuple(codes.index(code) + 1 for code in dict.fromkeys(pointed)) or (1,)
