"""How what a payer denies of a claim now is spread over the claim's denials."""

from __future__ import annotations

from collections.abc import Sequence

from canonical.money import Money


def still_denied(net: Money, firsts: Sequence[Money], standing: Sequence[Money]) -> tuple[tuple[Money, ...], Money]:
    """How much of each denial of one claim is still denied, oldest first, and what none of them covers.

    `net` is what the payer denies of the claim now, `firsts` what each denial was opened with, and `standing` how much of
    that its own decision, if it still stands, denies. Each denial keeps its own first. Where less is denied than that, the
    oldest give way, since a later decision took their place; where more is, the oldest with room take it up.
    """
    covers = [min(first, own) for first, own in zip(firsts, standing, strict=True)]
    short = Money.total(covers) - net
    for index, cover in enumerate(covers):
        if short.minor > 0:
            given = min(cover, short)
            covers[index], short = cover - given, short - given
    left = max(-short, Money.zero())
    for index, cover in enumerate(covers):
        taken = min(firsts[index] - cover, left)
        covers[index], left = cover + taken, left - taken
    return tuple(covers), left
