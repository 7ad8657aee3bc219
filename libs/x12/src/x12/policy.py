"""What follows from a finding, by trading partner: the strict default, and what a partner's rules change of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from canonical.master_data import TradingPartner

from x12.findings import Severity
from x12.rules import RULES

_SEVERITIES = {"finding": Severity.NOTE, "quarantine": Severity.QUARANTINE, "refuse": Severity.REFUSE}


class UnusablePolicy(ValueError):
    """A policy names a rule that is unknown, or eases one that guards money."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`severities` replaces what a rule does by default. `accept_4010` lets 835s of version 4010 be read.

    Raises:
        UnusablePolicy: a rule is unknown, or would become a finding although what is posted depends on it.
    """

    severities: Mapping[str, Severity] = field(default_factory=dict)
    accept_4010: bool = False

    def __post_init__(self) -> None:
        for code, severity in self.severities.items():
            rule = RULES.get(code)
            if rule is None:
                raise UnusablePolicy(f"{code!r} is not a rule of the reader")
            if severity is Severity.NOTE and not rule.eases and rule.severity is not Severity.NOTE:
                raise UnusablePolicy(
                    f"{code!r} guards what is posted: it may quarantine or refuse, but not be a finding only"
                )


STRICT = Policy()
PolicyOf = Callable[[str], Policy]


def strict(sender: str) -> Policy:
    """The default for every sender (ISA06): all rules as `x12.rules` has them, no 4010."""
    return STRICT


def policy_of(rules: Mapping[str, str], *, accept_4010: bool = False) -> Policy:
    """The policy of rules as master data words them: `finding`, `quarantine` or `refuse` by rule.

    Raises:
        UnusablePolicy: as `Policy`, or a consequence of another name.
    """
    unknown = sorted(set(rules.values()) - set(_SEVERITIES))
    if unknown:
        raise UnusablePolicy(f"{unknown[0]!r} is none of finding, quarantine, refuse")
    return Policy({code: _SEVERITIES[rules[code]] for code in rules}, accept_4010)


def policies_of(partners: Iterable[TradingPartner], day: date) -> PolicyOf:
    """The policy of each sender by the partners that hold on `day`; strict for anybody else.

    Raises:
        UnusablePolicy: one of the partners' rules cannot be.
    """
    known = {
        partner.code: policy_of(partner.rules, accept_4010=partner.accept_4010)
        for partner in partners
        if partner.holds_on(day)
    }
    return lambda sender: known.get(sender, STRICT)
