"""How much of each is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`remittance` is timed end to end; `beside` posts while balances are asked for; `calls_beside` while
    payments are posted as well, by `calls_accounts` patients, for `calls_seconds`;
    `stream_megabytes` is read without standing on any disk."""

    remittance: int = 20_000
    beside: int = 20_000
    read: tuple[int, ...] = (20_000, 200_000)
    stream_megabytes: int = 2_000
    write: int = 5_000
    messages: int = 20_000
    single_messages: int = 50
    batches: int = 40
    balances_idle: int = 300
    calls_accounts: int = 2_000
    calls_beside: int = 100_000
    calls_seconds: float = 30.0
    webhooks: int = 20
    storm: int = 20_000
    webhook_answers: int = 300
    lane_payments: int = 50
    hl7_messages: int = 10_000
    fhir_bundles: int = 4_000
    interactive_seconds: float = 20.0
    bulk_remittances: int = 4
    bulk_claims: int = 20_000
    bulk_rows: int = 50_000
    bulk_lines: int = 50_000
    prices: int = 100_000
    look_ups: int = 50_000


FULL = Sizes()
QUICK = Sizes(
    remittance=300,
    beside=600,
    read=(300, 600),
    stream_megabytes=50,
    write=600,
    messages=1_500,
    single_messages=5,
    batches=4,
    balances_idle=20,
    calls_accounts=300,
    calls_beside=2_000,
    calls_seconds=3.0,
    webhooks=2,
    storm=400,
    webhook_answers=20,
    lane_payments=5,
    hl7_messages=200,
    fhir_bundles=80,
    interactive_seconds=2.0,
    bulk_remittances=1,
    bulk_claims=200,
    bulk_rows=200,
    bulk_lines=200,
    prices=2_000,
    look_ups=500,
)
