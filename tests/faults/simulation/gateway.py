"""The way to the card gateway without a network: the official library, over calls that fail before or after the work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from payments.adapters.stripe_api import StripeGateway
from sandbox.world.gateway_api import Call, GatewayApi, error

from .mischief import Kind, Mischief

API_KEY = "sk_of_the_simulation"


class FaultyCalls(stripe.HTTPClient):
    """What the library calls in place of HTTP."""

    name = "in-process"

    def __init__(self, api: GatewayApi, mischief: Mischief) -> None:
        super().__init__()
        self._api = api
        self._mischief = mischief

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One call; the answer of one that was done may be lost, and an order may be refused without a reason of ours."""
        if self._mischief.strikes(Kind.GATEWAY_DOWN):
            raise _no_answer("simulated: the gateway does not answer")
        where = urlsplit(url)
        fields = dict(parse_qsl(where.query if method == "get" else post_data or ""))
        key = (headers or {}).get("Idempotency-Key", "") if method == "post" else ""
        if method == "post" and self._mischief.strikes(Kind.GATEWAY_REFUSED):
            return _told(400, error("invalid_request_error", "simulated: refused"))
        status, body = self._api.answer(Call(method.upper(), where.path.removeprefix("/v1/"), fields, key=key))
        if self._mischief.strikes(Kind.GATEWAY_ANSWER_LOST):
            raise _no_answer("simulated: the answer was lost")
        return _told(status, body)


def _told(status: int, body: Mapping[str, object]) -> tuple[str, int, Mapping[str, str]]:
    return json.dumps(body), status, {}


def _no_answer(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why)  # type: ignore[no-untyped-call]


def gateway_over(api: GatewayApi, mischief: Mischief) -> StripeGateway:
    """The gateway as payments has it."""
    return StripeGateway(API_KEY, retries=0, http_client=FaultyCalls(api, mischief))
