"""How far a consumer is behind what has been published for it, as far as this process was told."""

from __future__ import annotations

from typing import Protocol

from chassis.messaging.delivery import Delivery


class Behind(Protocol):
    """How far a consumer is behind, by whoever knows."""

    @property
    def count(self) -> int:
        """Messages that are not saved yet."""


class Backlog:
    """Messages given and not saved yet, and those behind them, by durable; nought where nothing has come yet."""

    def __init__(self) -> None:
        self._by_durable: dict[str, int] = {}

    def took(self, durable: str, last: Delivery, count: int) -> None:
        """A batch of so many is in hand, the last of them with what the stream holds behind it."""
        self._by_durable[durable] = last.behind + count

    def saved(self, durable: str, last: Delivery) -> None:
        """The batch is saved; what is behind it is still to come."""
        self._by_durable[durable] = last.behind

    def forget(self, durable: str) -> None:
        """Another replica reads it from now on."""
        self._by_durable.pop(durable, None)

    @property
    def count(self) -> int:
        return sum(self._by_durable.copy().values())
