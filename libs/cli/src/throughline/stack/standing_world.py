"""The simulated world that stays beside a suite that was left running: card gateway, clearinghouse and payers."""

from __future__ import annotations

import argparse
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from sandbox.services import ServiceSpec
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.payer import Payers

from throughline.stack.composition import LOOPBACK, Stack, plain_environment

PAYER_SEED = 2026
INTERVAL_SECONDS = 0.5
SETTLE_SECONDS = 10.0
CONTROL_NUMBERS = 1_000_000_000


def standing_world(stack: Stack) -> list[ServiceSpec]:
    """The world's processes: payers that answer and settle every ten seconds, and the card gateway."""
    port = stack.ports["card-gateway"]
    webhooks = f"http://{stack.address('payments', 'http')}/webhooks/stripe"
    gateway = [sys.executable, "-m", "sandbox.world.gateway", "--port", str(port), "--webhook-url", webhooks]
    payers = [sys.executable, "-m", "throughline.stack.standing_world", "--exchange", str(stack.exchange)]
    return [
        ServiceSpec("card-gateway", gateway, plain_environment(), f"http://{LOOPBACK}:{port}/_sandbox/state"),
        ServiceSpec("payers", payers, plain_environment()),
    ]


def main() -> None:
    """Answers claims and pays them, until the process is stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--exchange", type=Path, required=True)
    exchange = parser.parse_args().exchange
    payers = Payers(PAYER_SEED, first_control_number=_unused_control_number(), clearinghouse_reports=True)
    clearinghouse = Clearinghouse(exchange, payers, lambda: datetime.now(UTC))
    stop = threading.Event()
    settled = 0.0
    while not stop.wait(INTERVAL_SECONDS):
        clearinghouse.step()
        settled += INTERVAL_SECONDS
        if settled >= SETTLE_SECONDS:
            clearinghouse.settle(datetime.now(UTC).date())
            settled = 0.0


def _unused_control_number() -> int:
    """Beyond every number of an earlier run on the same data: a payer that counts anew would seem to reuse its envelopes."""
    return int(datetime.now(UTC).timestamp()) % CONTROL_NUMBERS


if __name__ == "__main__":
    main()
