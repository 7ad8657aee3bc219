"""What a person may do about a case, said once per code: the words, the commands, how soon, and whether two must agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WITHIN_DAYS = 5


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that may be done: its name, what it does in plain words, the command line that does it, the scope it needs.

    `{subject}`, `{case}` and `{message}` in a command stand for the ids of the case; words in capitals are the person's.
    """

    name: str
    does: str
    command: str
    scope: str


@dataclass(frozen=True, slots=True)
class CaseGuide:
    """One code: why such a case waits, the commands that show its evidence, what may be done, and within how many days.

    `by_two` says that money is left where it is, or a fact is dropped, when such a case is dismissed: a second person has to agree.
    """

    means: str
    evidence: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    within_days: int = WITHIN_DAYS
    by_two: bool = False

    def due_on(self, raised_on: date) -> date:
        """The day by which such a case is worked, where the case itself names no other."""
        return raised_on + timedelta(days=self.within_days)


Guides = Mapping[str, CaseGuide]
"""By code, such as `UnmatchedPayment`, or by kind of subject, such as `encounter`, for the codes that have no guide of their own."""
REFUSED_MESSAGE = CaseGuide(
    "A rule refused what another service told. It waits here, and what follows of the same thing waits behind it.",
    evidence=("throughline trace {case}",),
    within_days=1,
    by_two=True,
)
ANY_OTHER = CaseGuide("A rule said no, and a person has to look.", evidence=("throughline trace {case}",))


def guide_of(guides: Guides, code: str, subject: str, *, has_parked_message: bool) -> CaseGuide:
    """The guide of a code, else that of its kind of subject; what no service has said anything of is told by what it is."""
    return guides.get(code) or guides.get(subject) or (REFUSED_MESSAGE if has_parked_message else ANY_OTHER)


def actions_of_every_case(service: str, guide: CaseGuide, *, can_be_retried: bool) -> Iterator[Action]:
    """What may be done about any case of a service, beside what its guide names."""
    scope = f"{service}.write"
    yield Action("assign", "Say who works it.", "throughline exceptions assign {case} --owner WHO", scope)
    if can_be_retried:
        does = "Try again, once its cause is mended; where the rule still says no, the case stays."
        yield Action("retry", does, "throughline exceptions retry {case} --reason WHY", scope)
    does = "End it with nothing done" + ("; a second person has to agree." if guide.by_two else ".")
    yield Action("dismiss", does, "throughline exceptions dismiss {case} --reason WHY", scope)


def filled(command: str, ids: Mapping[str, str]) -> str:
    """A command with the ids of a case in the places that it has for them."""
    for place, identity in ids.items():
        command = command.replace(place, identity)
    return command
