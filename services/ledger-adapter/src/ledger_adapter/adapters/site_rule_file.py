"""The file in which a site adds posting rules."""

from __future__ import annotations

from pathlib import Path

from ledger_adapter.domain.site_rules import SiteRules


def load_site_rules(path: Path) -> SiteRules:
    """The rules of a JSON file.

    Raises:
        ValueError: a rule is not allowed, contradicts another or the shipped ones, or is no rule; the message names it.
    """
    return SiteRules.model_validate_json(path.read_bytes())
