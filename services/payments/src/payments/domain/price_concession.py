"""What of patients' shares is not expected to be paid, by portfolio: an implicit price concession (ASC 606), kept as an allowance.

As with the cash (`cash_spread`), the allowance follows from the facts alone, whatever came first: no more is allowed for than is open,
so that an account that is settled has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from canonical.money import Money

from payments.domain.cash_spread import NOTHING, Owed, Part, left_of_each, open_of_each
from payments.domain.write_off_rules import GivenUp, WriteOffKind


@dataclass(frozen=True, slots=True)
class Expectation:
    """So many percent of the shares at one place are not expected to be paid, as its portfolio has shown.

    `from_days` is the age from which on the portfolio is of this band.
    """

    portfolio: str = ""
    percent: int = 0
    from_days: int = 0


NONE_EXPECTED = Expectation()


def not_expected(share: Money, percent: int) -> Money:
    """What of a share is allowed for; half a cent is rounded up, for a receivable is rather shown too low than too high."""
    return Money((share.minor * percent + 50) // 100)


def allowances(
    shares: Iterable[Owed],
    written_off: Iterable[Owed],
    given_up: Mapping[UUID, GivenUp],
    parts: Iterable[Part],
    expected: Mapping[UUID, Expectation],
) -> dict[UUID, Money]:
    """The allowance of each place that has an expectation: what is expected, less what was conceded, and no more than is open."""
    owed = list(shares)
    responsibility, left = open_of_each(owed, ()), left_of_each([*owed, *written_off], parts)
    conceded: dict[UUID, Money] = {}
    for each in given_up.values():
        if each.kind is WriteOffKind.PRICE_CONCESSION:
            conceded[each.place] = conceded.get(each.place, NOTHING) + each.stands
    return {
        place: max(
            NOTHING,
            min(
                not_expected(responsibility.get(place, NOTHING), each.percent) - conceded.get(place, NOTHING),
                left.get(place, NOTHING),
            ),
        )
        for place, each in expected.items()
    }
