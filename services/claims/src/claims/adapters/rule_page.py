"""Writes the page of the shipped edits: `python -m claims.adapters.rule_page docs/edits.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from claims.adapters.rule_files import load_rules
from claims.domain.rules.documentation import page_of


def main(arguments: list[str]) -> int:
    """The exit code: 2 where no file is named."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    Path(arguments[0]).write_text(page_of(load_rules()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
