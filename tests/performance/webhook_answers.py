"""How long a gateway waits for the answer to one webhook, which is durable by then, where nothing else is to do."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.intake_load import own_folder
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import percentile, seconds_of
from tests.performance.webhook_storm import Calm, Storm

BAR_MS = Bar(200, 20)
RATE = 10.0
WARM = 10
BARE_COMMITS = 200
KEPT = b"SELECT count(*) FROM inbound_messages WHERE state = 'accepted'"


def webhook_answers(folder: Path, sizes: Sizes) -> list[Figure]:
    """The row: distinct webhooks one after the other, some a second."""
    storm = Storm.of(sizes.webhook_answers + WARM, repeated_percent=0)
    with Calm(own_folder(folder, "webhook-answers"), storm.patients) as suite:
        suite.take(storm.bodies[:WARM], connections=1)
        bodies = storm.bodies[WARM:]
        sent, used = suite.take(bodies, connections=1, rate=RATE)
        kept = suite.ask("payments", KEPT)[0]
        bare = suite.with_connection("payments", _bare_commit_ms)
    return [
        Figure(
            row="webhook-answers",
            work=f"one webhook → answered, durable and its account moved; idle, {RATE:.0f} a second (p99)",
            value=sent.p99_ms,
            unit="ms",
            bar=BAR_MS,
            baseline=Baseline("one row committed to the same PostgreSQL (p99)", bare),
            details=(
                f"p50 {sent.p50_ms:.1f}, p95 {sent.p95_ms:.1f} ms, {len(bodies)} webhooks, "
                f"{used / len(bodies) * 1000:.1f} ms of payments' processor each",
            ),
            sums=(
                Sums("answered 200", str(len(bodies)), str(sent.answered("200"))),
                Sums("kept and accepted", str(len(storm.bodies)), str(kept)),
            ),
        )
    ]


def _bare_commit_ms(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    connection.execute("CREATE TABLE bare_commits (number bigint)")
    connection.commit()

    def commit() -> None:
        connection.execute("INSERT INTO bare_commits VALUES (1)")
        connection.commit()

    return percentile([seconds_of(commit) for _ in range(BARE_COMMITS)], 99) * 1000
