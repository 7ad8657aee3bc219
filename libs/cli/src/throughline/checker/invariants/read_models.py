"""I5: the read models as they are, against the same computed anew from the events."""

from __future__ import annotations

from throughline.checker.invariants.balance import FOLDED
from throughline.checker.result import Failures, Result, judged
from throughline.checker.world import World


def rebuilt_equals_live(world: World) -> Result:
    """I5, row by row; what an event holds that cannot be read counts too."""
    failures = Failures()
    rows: dict[str, int] = {}
    for service, store in world.stores.items():
        failures.merge(store.book.unreadable, f"{service}: ")
        for table in store.tables:
            if table.name in FOLDED:
                continue
            rows[f"{service}.{table.name}"] = table.rows
            failures.merge(table.failures, f"{service}: ")
    return judged("I5", "Rebuilt read models equal the live ones", failures, rows=sum(rows.values()), tables=rows)
