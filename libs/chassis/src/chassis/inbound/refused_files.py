"""Tells a person of a file that no door could take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from canonical.ids import derive

from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Work, transact
from chassis.exceptions import raise_case

REFUSED_FILE = "RefusedFile"


def report_refused_files(store: EventStore, clock: Callable[[], datetime], door: str) -> Callable[[str, str], None]:
    """Opens one case for each refused file of a door, by the name that it has in quarantine, which holds no PHI."""

    def report(name: str, rule: str) -> None:
        cause = derive("refused-file", door, name)
        meta = Meta(correlation_id=cause, causation_id=cause, actor=f"door:{door}")

        def decide(work: Work) -> None:
            raise_case(
                work,
                cause,
                code=REFUSED_FILE,
                summary=f"{door}-quarantine/{name}: {rule}: the file was not taken",
                subject="file",
                subject_id=cause,
                entity="",
            )

        transact(store, Context(clock(), meta), decide)

    return report
