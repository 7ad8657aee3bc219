"""What banks' files have in common: how a file is refused, and what the text of a deposit says it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from payments.domain.deposit import DepositKind

_TRACE = re.compile(r"TRN\*1\*([A-Za-z0-9 .\-]{1,50}?)\*([A-Za-z0-9]{1,20})")
_PAYOUT = re.compile(r"\b(po_[A-Za-z0-9_]{4,60})\b")
TRACES_MAX = 20
REFERENCE_MAX = 100


class BankFileRefused(ValueError):
    """The file is not what it should be, or contradicts itself. The message names record and rule, never an account holder."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the text of a deposit names: trace numbers with the payer of the first, a payout, or nothing (`other`)."""

    kind: DepositKind
    reference: str = ""
    originator: str = ""
    further: tuple[str, ...] = ()

    @property
    def is_payout(self) -> bool:
        return self.kind is DepositKind.PAYOUT


def named_in(text: str) -> Named:
    """What a deposit is for, as far as its text says."""
    traces, payout = traces_of(text), payout_of(text)
    if traces:
        (first, originator), *further = traces
        return Named(DepositKind.REMITTANCE, first[:REFERENCE_MAX], originator, tuple(trace for trace, _ in further))
    return Named(DepositKind.PAYOUT, payout) if payout else Named(DepositKind.OTHER)


def traces_of(text: str) -> list[tuple[str, str]]:
    """Trace number and payer identifier of each CCD+ addendum in a deposit's text, each once."""
    found = ((match.group(1).strip(), match.group(2)) for match in _TRACE.finditer(text))
    return list(dict.fromkeys(found))[:TRACES_MAX]


def trace_of(text: str) -> tuple[str, str] | None:
    """The first of `traces_of`, where there is one."""
    return next(iter(traces_of(text)), None)


def payout_of(text: str) -> str | None:
    """The gateway's payout id in a deposit's text, where there is one."""
    match = _PAYOUT.search(text)
    return match.group(1) if match else None
