"""Secrets from files: one on each line, and never shown."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

WEBHOOK_SECRETS_MAX = 2


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


def webhook_secrets_in(folder: Path, file: Path | None) -> tuple[SecretStr, ...]:
    """The secrets of a sender of webhooks, two while one is rotated; none where no file is named.

    Raises:
        NoSecrets: see `secrets_in`.
    """
    return secrets_in(folder / file, "webhook_secret_file", at_most=WEBHOOK_SECRETS_MAX) if file else ()
