"""What the events of a journal entry say of it: the state after each, and why it stopped."""

from __future__ import annotations

from chassis.domain import Event

from ledger_adapter.domain.journal_entry import JournalEntry, JournalState

_STATES: dict[type[Event], JournalState] = {
    JournalEntry.Probed: JournalState.PROBED,
    JournalEntry.Posted: JournalState.POSTED,
    JournalEntry.BecameUncertain: JournalState.UNCERTAIN,
    JournalEntry.Rejected: JournalState.REJECTED,
    JournalEntry.HeldForPeriod: JournalState.HELD_FOR_PERIOD,
    JournalEntry.Confirmed: JournalState.CONFIRMED,
    JournalEntry.Differed: JournalState.DIFFERS,
}


def state_after(event: Event) -> JournalState | None:
    """The state of a journal entry after this event; None where the event is none of it."""
    return event.state if isinstance(event, JournalEntry.Resumed) else _STATES.get(type(event))


def reason_of(event: Event) -> str | None:
    """Why the entry stopped by this event, if it did."""
    if isinstance(event, JournalEntry.Rejected):
        return f"{event.code}: {event.reason}"
    if isinstance(event, JournalEntry.HeldForPeriod | JournalEntry.BecameUncertain):
        return event.reason
    if isinstance(event, JournalEntry.Differed):
        return "; ".join(event.differences)
    return None
