"""What external platforms hold to be open, as rows and sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Row, Table, Where, put
from chassis.eventstore.projecting import of

from claims.domain.platform_balance import PlatformBalance

STATES = WAITING, DIFFERS, AGREES = "waiting", "differs", "agrees"

PLATFORM_BALANCES = Table(
    "platform_balances",
    {
        "balance_id": "uuid",
        "claim_id": "uuid",
        "encounter_id": "uuid",
        "posting": "integer",
        "entity": "text",
        "platform": "text",
        "state": "text",
        "reported_minor": "bigint",
        "theirs_minor": "bigint",
        "ours_minor": "bigint",
        "as_of": "date",
        "message_id": "uuid",
        "reported_at": "timestamptz",
    },
    key=("balance_id",),
    indexes=(("state", "reported_at"), ("entity", "platform", "state")),
)
"""What platforms hold to be open, `waiting` to be compared, or `differs` or `agrees` with ours.

`theirs_minor` and `ours_minor` are the two sides of the last comparison, empty before the first; `message_id` is the report.
"""


@of(PlatformBalance)
def project_platform_balances(event: Event) -> Iterable[Change]:
    """The row that a report or a comparison changes."""
    if isinstance(event, PlatformBalance.Reported):
        yield put(
            PLATFORM_BALANCES,
            balance_id=event.originator_id,
            claim_id=event.claim_id,
            encounter_id=event.encounter_id,
            posting=event.posting,
            entity=event.entity,
            platform=event.platform,
            state=WAITING,
            reported_minor=event.theirs.minor,
            as_of=event.as_of,
            message_id=event.message_id,
            reported_at=event.timestamp,
        )
    elif isinstance(event, PlatformBalance.Compared):
        state = AGREES if event.ours == event.theirs else DIFFERS
        sides = {"theirs_minor": event.theirs.minor, "ours_minor": event.ours.minor}
        yield put(PLATFORM_BALANCES, balance_id=event.originator_id, state=state, **sides)


@dataclass(frozen=True, slots=True)
class PlatformBalances:
    """One external platform at one entity: both sides of every claim's last comparison, and how many of these differ.

    `waiting` counts the reported balances that wait to be compared.
    """

    platform: str
    claims: int
    ours: Money
    theirs: Money
    differing: int
    waiting: int


def balances_by_platform(store: EventStore, entity: str) -> tuple[PlatformBalances, ...]:
    """The sums of an entity's balances, platform by platform."""
    columns = ["ours_minor", "theirs_minor"]
    found: dict[str, list[Row]] = {}
    for row in store.sums(PLATFORM_BALANCES, columns, ["platform", "state"], {"entity": entity}):
        found.setdefault(str(row["platform"]), []).append(row)
    return tuple(_of_platform(platform, rows) for platform, rows in sorted(found.items()))


def _of_platform(platform: str, rows: list[Row]) -> PlatformBalances:
    def total(column: str) -> int:
        return sum(_whole(row[column]) for row in rows)

    counts = {row["state"]: _whole(row["count"]) for row in rows}
    return PlatformBalances(
        platform=platform,
        claims=total("count"),
        ours=Money(total("ours_minor")),
        theirs=Money(total("theirs_minor")),
        differing=counts.get(DIFFERS, 0),
        waiting=counts.get(WAITING, 0),
    )


def balances_by_state(store: EventStore) -> dict[str, dict[str, int]]:
    """How many balances are in each state, by platform."""
    found: dict[str, dict[str, int]] = {}
    for row in store.sums(PLATFORM_BALANCES, [], ["platform", "state"], {}):
        found.setdefault(str(row["platform"]), {})[str(row["state"])] = _whole(row["count"])
    return found


def platform_balance_rows(store: EventStore, where: Where, size: int) -> list[Row]:
    """Balances claim by claim, the longest reported first."""
    return store.rows(PLATFORM_BALANCES, where, order=("reported_at", "balance_id"), limit=size)


def _whole(value: object) -> int:
    assert value is None or isinstance(value, int), "a sum is a whole number, and nothing where there is nothing"
    return value or 0
