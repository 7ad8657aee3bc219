"""What a call to an ERP that went wrong says about what happened there."""

from __future__ import annotations

import httpx

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Without a connection nothing has happened; every other broken call may have been carried out."""
CLOSED_DOORS = frozenset(
    (
        httpx.codes.UNAUTHORIZED,
        httpx.codes.FORBIDDEN,
        httpx.codes.NOT_FOUND,
        httpx.codes.TOO_MANY_REQUESTS,
    )
)
"""Answers given before anything was looked at: nothing has happened."""
