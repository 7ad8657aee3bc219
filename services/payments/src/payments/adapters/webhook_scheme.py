"""What makes one gateway's webhooks different from another's: its path, its signature and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.domain.gateway_facts import GatewayFact


@dataclass(frozen=True, slots=True)
class WebhookScheme:
    """`verify` raises ForgedWebhook unless the headers fit the raw bytes now; `read` gives the event's id and fact."""

    gateway: str
    path: str
    verify: Callable[[bytes, Mapping[str, str], datetime], None]
    read: Callable[[bytes], tuple[str, GatewayFact]]
