"""What must never be kept: numbers of cards and of bank accounts, and their secrets; found in texts, and refused or masked."""

from __future__ import annotations

import re
from typing import Final

from chassis.domain import Refusal

DIGITS_MIN, DIGITS_MAX = 13, 19
MASK: Final = "*"


class CardNumberSeen(Refusal):
    """A text holds what looks like the number of a card or a bank account; it is not kept. It says the place alone."""


_RUN = re.compile(r"(?<![0-9A-Za-z_.])[0-9]+(?:[ -][0-9]+)*(?![0-9A-Za-z_])")
_UUID = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])")
_GROUP = re.compile(r"[0-9]+")
_GROUPS_MAX = 7
_SECRET = re.compile(
    r"\b(cvv2?|cvc2?|card[ _-]?(?:number|no)|pan|account[ _-]?(?:number|no)|acct[ _-]?no|routing[ _-]?(?:number|no)|iban)"
    r"([\"']?\s*(?:[:=#]|is)?\s*[\"']?)([0-9](?:[ -]?[0-9]){2,33})(?![0-9])",
    re.IGNORECASE,
)
_MANY_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){12}")
_NAMED = re.compile(
    r"(?:cv[vc]2?|card[ _-]?n(?:umber|o)|pan|acc(?:oun)?t[ _-]?n(?:umber|o)|routing[ _-]?n(?:umber|o)|iban)[^a-hj-z_]"
)


def holds_card_number(text: str) -> bool:
    """Whether digits in the text are a card's number (13 to 19 with a network's first digit that pass Luhn), or are
    called one, or a bank account's number, or a card's code."""
    return masked(text) != text


def refuse_card_numbers(**texts: str) -> None:
    """Raises CardNumberSeen where one of the texts, given by name, holds what must not be kept."""
    for name, text in texts.items():
        if holds_card_number(text):
            raise CardNumberSeen(f"{name}: holds what looks like the number of a card or a bank account")


def masked(text: str) -> str:
    """The text with each digit of such a number replaced; its length stays."""
    if not _may_hold(text):
        return text
    parts = _UUID.split(text)
    parts[::2] = [_masked_part(part) for part in parts[::2]]
    return "".join(parts)


def _may_hold(text: str) -> bool:
    """A quick look, for every webhook is looked through whole: False only where there cannot be any such number."""
    return not text.isascii() or bool(_MANY_DIGITS.search(text) or _NAMED.search(text.lower()))


def _masked_part(text: str) -> str:
    text = _SECRET.sub(lambda found: found[1] + found[2] + _hidden(found[3]), text)
    return _RUN.sub(lambda found: _without_cards(found[0]), text)


def _without_cards(run: str) -> str:
    """Digits in groups, as people write them: any groups side by side may be a card's number."""
    if len(run) < DIGITS_MIN:
        return run
    groups = [(found.start(), found.end()) for found in _GROUP.finditer(run)]
    for first, (start, _) in enumerate(groups):
        for _, end in groups[first : first + _GROUPS_MAX]:
            if _is_card(run[start:end]):
                run = run[:start] + _hidden(run[start:end]) + run[end:]
    return run


def _is_card(found: str) -> bool:
    digits = [int(letter) for letter in found if letter.isdigit()]
    if not DIGITS_MIN <= len(digits) <= DIGITS_MAX or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _hidden(found: str) -> str:
    return "".join(MASK if letter.isdigit() else letter for letter in found)
