"""The three families of failure: a rule said no, the outside is unavailable, or we have a bug."""

from __future__ import annotations

from uuid import UUID


class Refusal(Exception):
    """A rule said no. Not retried: a person works it. The message names the rule and the values, never PHI.

    A subclass is named for the broken rule; `code` is that name, and what a case, a metric and a client see.
    """

    @property
    def code(self) -> str:
        return type(self).__name__


class Conflict(Refusal):
    """The same id came with other content: neither is taken for the other, and a person is told."""


class NotYet(Exception):
    """What this message needs has not arrived; it waits, and the rest of its key behind it.

    `waiting_for` is the id of the aggregate whose next event may let it go on.
    """

    def __init__(self, waiting_for: UUID, why: str) -> None:
        super().__init__(why)
        self.waiting_for = waiting_for


class Transient(Exception):
    """A technical failure that a later attempt may not meet: a lost connection, a lock timeout."""


class Unavailable(Exception):
    """The other side is down: pause, probe, resume. Nothing is given up meanwhile."""


class Bug(Exception):
    """Our own code broke a promise it made to itself."""


class UnsafeSetting(Exception):
    """A server is set so that it may lose or skip data; nothing starts until it is mended.

    Names the setting, the value found and the value needed.
    """

    def __init__(self, setting: str, value: object, needed: object) -> None:
        super().__init__(f"{setting} is {value}; it must be {needed}")
        self.setting = setting
        self.value = value
        self.needed = needed
