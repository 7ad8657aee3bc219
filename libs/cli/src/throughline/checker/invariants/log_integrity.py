"""I8: the logs are what was written, and cannot be changed."""

from __future__ import annotations

from throughline.checker.result import Failures, Result, judged
from throughline.checker.world import World


def logs_are_intact(world: World) -> Result:
    """I8: positions, versions, chain, guards, the raw bytes that the events vouch for, and the keys of what is sealed."""
    failures = Failures()
    events: dict[str, int] = {}
    heads: dict[str, str] = {}
    for service, store in world.stores.items():
        failures.merge(store.log.failures, f"{service}: ")
        failures.merge(store.guards, f"{service}: ")
        failures.merge(store.spans, f"{service}: ")
        if world.keys is not None:
            for key in sorted(store.keys - world.keys):
                failures.add(f"{service}: something is sealed under key {key}, which the key database never had")
        events[service] = store.log.count
        heads[service] = store.log.chain.hex()[:16]
        if store.relay_position > store.log.position:
            failures.add(f"{service}: published up to {store.relay_position}, the log ends at {store.log.position}")
    spans = sum(store.span_count for store in world.stores.values())
    keys = len(set[str]().union(*(store.keys for store in world.stores.values())))
    value = {
        "events": sum(events.values()),
        "by_service": events,
        "chain_ends": heads,
        "raw_spans": spans,
        "keys": keys,
    }
    return judged("I8", "Every log verifies from its first event", failures, **value)
