"""The way to the card gateway: calls that fail before the work or after it, and orders that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe
from sandbox.world.gateway_api import GatewayApi, error

from tests.contracts.gateway_calls import GatewayCalls, Told, told

from .mischief import Kind, Mischief


class FaultyCalls(GatewayCalls):
    """Calls with faults."""

    def __init__(self, api: GatewayApi, mischief: Mischief) -> None:
        super().__init__(api)
        self._mischief = mischief

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> Told:
        """One call; the answer of one that was done may be lost, and an order may be refused without a reason of ours."""
        if self._mischief.strikes(Kind.GATEWAY_DOWN):
            raise _no_answer("simulated: the gateway does not answer")
        if method == "post" and self._mischief.strikes(Kind.GATEWAY_REFUSED):
            return told(400, error("invalid_request_error", "simulated: refused"))
        answer = super().request(method, url, headers, post_data, _usage=_usage)
        if self._mischief.strikes(Kind.GATEWAY_ANSWER_LOST):
            raise _no_answer("simulated: the answer was lost")
        return answer


def _no_answer(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why)  # type: ignore[no-untyped-call]
