"""The edits from files: those that are shipped with the service, and what a deployment sets in their place."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from claims.domain.rules.rule import RuleSet, rule_set_in
from claims.domain.rules.values import RuleRefused

BYTES_MAX = 1_048_576


def load_rules(own: Path | None = None) -> RuleSet:
    """The shipped rules, changed by a deployment's own file where there is one.

    Raises:
        RuleRefused: a file that cannot be read, or a rule in it.
    """
    shipped = _object_in(resources.files("claims.domain.rules").joinpath("shipped.json").read_text(encoding="utf-8"))
    if own is None:
        return rule_set_in(shipped)
    try:
        written = own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleRefused(f"{own} cannot be read: {type(error).__name__}") from None
    return rule_set_in(shipped, _object_in(written))


def changed_rules(rules: RuleSet, written: str) -> RuleSet:
    """The rules as a file that is not in force yet would change them.

    Raises:
        RuleRefused: the file is none, or a rule in it.
    """
    return rule_set_in(rules.as_file(), _object_in(written))


def _object_in(written: str) -> dict[str, object]:
    if len(written) > BYTES_MAX:
        raise RuleRefused(f"a rule file has at most {BYTES_MAX} characters")
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise RuleRefused(f"not JSON that can be read: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise RuleRefused("a rule file is an object with version and rules")
    return found
