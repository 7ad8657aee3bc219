"""Callers of the services under test, by the names of their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.security.tokens import Principal, Unauthenticated


@dataclass(frozen=True)
class KnownTokens:
    """Tokens with the scopes they carry; every other is refused."""

    scopes: Mapping[str, set[str]]

    def verify(self, token: str) -> Principal:
        if token not in self.scopes:
            raise Unauthenticated("unknown token")
        return Principal(token, "console", frozenset(self.scopes[token]))


@dataclass(frozen=True)
class Token:
    """What one caller shows."""

    name: str

    def token(self) -> str:
        return self.name
