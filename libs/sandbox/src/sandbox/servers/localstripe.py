"""localstripe, a fake of the payment gateway: it speaks Stripe's API to the official client, and signs its webhooks."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sandbox.folders import generated_secrets, private_folder
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess

WEBHOOK_ID = "throughline"
HEALTH_TIMEOUT_SECONDS = 2.0
START_DEADLINE_SECONDS = 30.0


class LocalStripe:
    """One localstripe, empty at each start.

    It ignores idempotency keys, sends no webhook for refunds, and each webhook about a second late.
    """

    def __init__(
        self, folder: Path, *, webhook_url: str | None = None, port: int | None = None, detached: bool = False
    ) -> None:
        self.folder = private_folder(folder)
        self.port = port or kept_ports(folder / "ports.json", ["localstripe"])["localstripe"]
        made = generated_secrets(folder / "secrets.json", ["api_key", "webhook_secret"])
        self.api_key = f"sk_test_{made['api_key']}"
        self.webhook_secret = f"whsec_{made['webhook_secret']}"
        self._webhook_url = webhook_url
        self.process = ManagedProcess(
            "localstripe",
            [sys.executable, "-m", "sandbox.servers.localstripe_runner", "--port", str(self.port)],
            log_file=folder / "localstripe.log",
            record_file=folder / "localstripe.json",
            detached=detached,
        )

    @property
    def base_url(self) -> str:
        """The `api` base address for the official client."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the fake, wait until it answers, and register the webhook if there is one.

        Raises:
            DidNotStart: it did not become healthy.
        """
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)
        if self._webhook_url is not None:
            self.send_webhooks_to(self._webhook_url)

    def send_webhooks_to(self, url: str, events: Sequence[str] | None = None) -> None:
        """Send all events, or these kinds, to this address, signed with `webhook_secret`."""
        content = {"url": url, "secret": self.webhook_secret, "events": list(events) if events is not None else None}
        answer = httpx.post(
            f"{self.base_url}/_config/webhooks/{WEBHOOK_ID}",
            json=content,
            timeout=HEALTH_TIMEOUT_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
        self._webhook_url = url

    def stop(self) -> None:
        """End the fake; what it knew is gone."""
        self.process.stop()

    def is_healthy(self) -> bool:
        """Whether it answers with its key."""
        try:
            answer = httpx.get(
                f"{self.base_url}/v1/customers",
                headers={"Authorization": f"Bearer {self.api_key}"},
                timeout=HEALTH_TIMEOUT_SECONDS,
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
