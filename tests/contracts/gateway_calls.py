"""The way to the sandbox's card gateway without a network: the official library, over calls in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from payments.adapters.stripe_api import StripeGateway
from sandbox.world.gateway_api import Call, GatewayApi

API_KEY = "sk_of_a_test"
Told = tuple[str, int, Mapping[str, str]]
"""Body, status and headers, as the library wants them."""


class GatewayCalls(stripe.HTTPClient):
    """What the library calls in place of HTTP."""

    name = "in-process"

    def __init__(self, api: GatewayApi) -> None:
        super().__init__()
        self._api = api

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> Told:
        """One call."""
        where = urlsplit(url)
        fields = dict(parse_qsl(where.query if method == "get" else post_data or ""))
        key = (headers or {}).get("Idempotency-Key", "") if method == "post" else ""
        status, body = self._api.answer(Call(method.upper(), where.path.removeprefix("/v1/"), fields, key=key))
        return told(status, body)


def told(status: int, body: Mapping[str, object]) -> Told:
    return json.dumps(body), status, {}


def gateway_over(calls: GatewayCalls) -> StripeGateway:
    """The gateway as payments has it."""
    return StripeGateway(API_KEY, retries=0, http_client=calls)
