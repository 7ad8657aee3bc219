"""The sweep that fetches what clearinghouses have for us; intake reads it like any other file of a payer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from claims.application.ports import AnswerSource, ReceivedAnswer, TransportUnavailable

Keep = Callable[[str, ReceivedAnswer], None]


class AnswerFetching:
    """Asks every clearinghouse in turn; one that is away keeps no other waiting."""

    def __init__(self, sources: Mapping[str, AnswerSource], keep: Keep) -> None:
        self._sources = sources
        self._keep = keep

    def run(self) -> int:
        """How many answers were fetched.

        Raises:
            TransportUnavailable: at least one clearinghouse could not be reached; the others were asked.
        """
        fetched, away = 0, []
        for name, source in self._sources.items():
            try:
                fetched += source.fetch(partial(self._keep, name))
            except (TransportUnavailable, OSError) as error:
                away.append(f"{name}: {error}")
        if away:
            raise TransportUnavailable("; ".join(away))
        return fetched
