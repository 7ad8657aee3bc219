"""What patients are compared by: keyed hashes of names, dates and identifiers, from which no value can be read."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import date

from canonical.classes import CanonicalModel, Public
from canonical.party import PatientDetails

from intake.domain.facts import PatientIdentifier

PERSON_KINDS = frozenset({"", "MR", "PI", "PT", "SS", "DL", "PPN", "NI", "MC", "MA", "JHN"})
NATIONAL = {"SS": "US-SSA", "MC": "US-CMS"}
PLACEHOLDERS = frozenset({"123456789", "987654321", "UNKNOWN", "NONE", "NA", "TEST"})
POSTAL_CODE_CHARACTERS = 5
_SOUNDS = {
    letter: digit for digit, letters in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), 1) for letter in letters
}

KeyedHashes = Callable[[Sequence[str]], list[str]]


class MatchKeys(CanonicalModel):
    """The keyed hashes of one patient; an empty one stands for what is not known.

    Of `birth_parts` two patients share one where their birth dates differ in one part, or in the order of month and day.
    Patients are compared who share one of `blocks` or `identifiers`.
    """

    source: Public[str]
    family: Public[str] = ""
    family_sound: Public[str] = ""
    given: Public[str] = ""
    given_sound: Public[str] = ""
    birth_date: Public[str] = ""
    birth_parts: tuple[Public[str], ...] = ()
    sex: Public[str] = ""
    postal_code: Public[str] = ""
    street: Public[str] = ""
    blocks: tuple[Public[str], ...] = ()
    identifiers: tuple[Public[str], ...] = ()


def identifier_keys(identifiers: Sequence[PatientIdentifier], source: str, hashes: KeyedHashes) -> tuple[str, ...]:
    """The keys of those identifiers that tell a person apart."""
    words = filter(None, (_word(each, source) for each in identifiers))
    return tuple(hashes([f"identifier|{word}" for word in dict.fromkeys(words)]))


def match_keys_of(details: PatientDetails, identifiers: Sequence[str], source: str, hashes: KeyedHashes) -> MatchKeys:
    """The keys of a patient as one source has them, beside those of the identifiers."""
    family, given = letters_of(details.family_name), letters_of(next(iter(details.given_name.split()), ""))
    family_sound, given_sound = sound_of(family), sound_of(given)
    day = details.birth_date.isoformat()
    postal_code = _plain(details.address.postal_code)[:POSTAL_CODE_CHARACTERS]
    street = _plain(details.address.line) if postal_code else ""
    words = {
        "family": family,
        "family_sound": family_sound,
        "given": given,
        "given_sound": given_sound,
        "birth_date": day,
        "sex": details.sex.replace("U", ""),
        "postal_code": postal_code,
        "street": street and f"{postal_code}|{street}",
    }
    blocks = _blocks(day, family_sound, given, given_sound, postal_code)
    parts = birth_parts(details.birth_date)
    hashed = hashes([*(f"{name}|{word}" for name, word in words.items()), *parts, *blocks])
    singles = {name: key if words[name] else "" for name, key in zip(words, hashed, strict=False)}
    first_block = len(words) + len(parts)
    return MatchKeys(
        source=source,
        birth_parts=tuple(hashed[len(words) : first_block]),
        blocks=tuple(hashed[first_block:]),
        identifiers=tuple(identifiers),
        **singles,
    )


def letters_of(name: str) -> str:
    """A name in capital letters without accents, spaces and hyphens; other alphabets stay as they are."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(character for character in decomposed if character.isalpha()).upper()


def sound_of(letters: str) -> str:
    """Soundex of a name in capital letters; names that sound alike have the same."""
    if not letters:
        return ""
    coded = [letters[0]]
    before = _SOUNDS.get(letters[0])
    for letter in letters[1:]:
        sound = _SOUNDS.get(letter)
        if sound is not None and sound != before:
            coded.append(str(sound))
        if letter not in "HW":
            before = sound
    return "".join(coded)[:4].ljust(4, "0")


def birth_parts(day: date) -> tuple[str, ...]:
    """What stays of a birth date where one part of it is wrong, or month and day have changed places."""
    low, high = sorted((day.month, day.day))
    return (
        f"birth|{day.year}-{day.month}-*",
        f"birth|{day.year}-*-{day.day}",
        f"birth|*-{day.month}-{day.day}",
        f"birth|{day.year}|{low}|{high}",
    )


def _blocks(day: str, family_sound: str, given: str, given_sound: str, postal_code: str) -> list[str]:
    blocks = [f"block|{day}|family|{family_sound}", f"block|{day}|given|{given}"]
    return [*blocks, f"block|{postal_code}|{family_sound}|{given_sound}"] if postal_code else blocks


def _word(identifier: PatientIdentifier, source: str) -> str:
    """The identifier as a text to hash; empty where it names no person, or says nothing."""
    kind = identifier.kind.strip().upper()
    value = _plain(identifier.value)
    if kind not in PERSON_KINDS and not kind.startswith("NN"):
        return ""
    if len(set(value)) < 2 or value in PLACEHOLDERS:
        return ""
    authority = NATIONAL.get(kind) or identifier.authority.strip() or f"source:{source}"
    return f"{authority}|{kind}|{value}"


def _plain(text: str) -> str:
    """Capital letters and digits alone."""
    return "".join(character for character in text.upper() if character.isalnum())
