"""The edits from files: those that are shipped with the service, and what a deployment sets in their place."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from claims.domain.rules.rule import RuleSet, rule_set_in
from claims.domain.rules.values import RuleRefused


def load_rules(own: Path | None = None) -> RuleSet:
    """The shipped rules, changed by a deployment's own file where there is one.

    Raises:
        RuleRefused: a file that cannot be read, or a rule in it.
    """
    shipped = resources.files("claims.domain.rules").joinpath("shipped.json").read_text(encoding="utf-8")
    return rule_set_in(json.loads(shipped)) if own is None else rule_set_in(json.loads(shipped), _written_in(own))


def _written_in(path: Path) -> dict[str, object]:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RuleRefused(f"{path} cannot be read: {type(error).__name__}") from None
    if not isinstance(written, dict):
        raise RuleRefused(f"{path} holds no object")
    return written
