"""The access tokens that an ERP's double has given, and until when each is good."""

from __future__ import annotations

import secrets
from collections.abc import Callable


class GivenTokens:
    """`now` counts seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.tokens_given = 0
        self._now = now
        self._until: dict[str, float] = {}

    def give_for(self, seconds: int) -> str:
        """A new token."""
        token = secrets.token_urlsafe(32)
        self._until[token] = self._now() + seconds
        self.tokens_given += 1
        return token

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header bears a token that is still good."""
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and self._until.get(token, 0.0) > self._now()

    def revoke_all(self) -> None:
        """Every token that was given ends now."""
        self._until.clear()
