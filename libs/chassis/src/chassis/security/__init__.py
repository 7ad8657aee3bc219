"""Who calls and what they may do: verified tokens at every door, our own tokens for calls between services."""

from chassis.security.tokens import Forbidden, Principal, TokenVerifier, Unauthenticated

__all__ = ["Forbidden", "Principal", "TokenVerifier", "Unauthenticated"]
