"""What one process of a service does: everything, or only one half of it."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """`calls` answers whoever waits, by gRPC, HTTP or MLLP, and does nothing else; `work` does all the rest; `all` is both.

    Processes of one service share its database alone: what one commits, the relay and the sweeps of another hear of.
    """

    ALL = "all"
    WORK = "work"
    CALLS = "calls"

    @property
    def answers(self) -> bool:
        """Whether the doors are open here at which somebody waits for an answer."""
        return self is not Role.WORK

    @property
    def works(self) -> bool:
        """Whether messages are consumed, events relayed, sweeps run and folders watched here."""
        return self is not Role.CALLS

    def process_name(self, service: str) -> str:
        """How a process of the service calls itself in its logs, and at crash points."""
        return f"{service}-calls" if self is Role.CALLS else service
