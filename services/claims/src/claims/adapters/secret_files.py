"""Secrets from files: one on each line, and never shown."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr


class NoSecrets(ValueError):
    """A file does not hold so many secrets; the message names the setting."""


def secrets_in(path: Path, setting: str, *, at_most: int) -> tuple[SecretStr, ...]:
    """The lines of a file that holds secrets.

    Raises:
        NoSecrets: there is no such file, or not 1 to `at_most` secrets in it.
    """
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        lines = []
    if not 1 <= len(lines) <= at_most:
        raise NoSecrets(f"{setting}: no such file, or not 1 to {at_most} secrets in it")
    return tuple(map(SecretStr, lines))
