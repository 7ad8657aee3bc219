"""What became of one message that was sent through a door."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from throughline.outcome import Exit


class Fate(StrEnum):
    """`handed over` is in the exchange folder and nobody was waited for; `not taken` was waited for in vain."""

    ACCEPTED = "accepted"
    HANDED_OVER = "handed over"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    NOT_TAKEN = "not taken"
    UNRECOGNISED = "unrecognised"
    UNREADABLE = "unreadable"
    UNREACHABLE = "unreachable"


_EXITS = {
    Fate.ACCEPTED: Exit.OK,
    Fate.HANDED_OVER: Exit.OK,
    Fate.QUARANTINED: Exit.REFUSED,
    Fate.REFUSED: Exit.REFUSED,
    Fate.UNRECOGNISED: Exit.USAGE,
    Fate.UNREADABLE: Exit.USAGE,
    Fate.NOT_TAKEN: Exit.UNREACHABLE,
    Fate.UNREACHABLE: Exit.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: `reference` is the door's own word for it (ACK control id, message id, file name)."""

    file: str
    format: str
    door: str
    fate: Fate
    reference: str = ""
    answers: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        return _EXITS[self.fate]

    def as_data(self) -> dict[str, object]:
        return asdict(self) | {"fate": self.fate.value, "answers": list(self.answers)}
