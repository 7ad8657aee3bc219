"""The typed refusals of this library; no message carries a value out of the file."""

from __future__ import annotations


class X12Refused(ValueError):
    """Base of every refusal. `code` is stable and machine-readable; `offset` is the byte where reading stopped."""

    def __init__(self, code: str, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset


class NotAnInterchange(X12Refused):
    """The bytes do not begin with a readable ISA header."""


class LimitExceeded(X12Refused):
    """A segment, an element or a count is over its bound; nothing past it is read."""


class UnwritableValue(X12Refused):
    """A value that cannot stand in an outbound file as it is. The message names the field and the rule, not the value."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__("unwritable_value", f"{field}: {rule}")
        self.field = field
        self.rule = rule
