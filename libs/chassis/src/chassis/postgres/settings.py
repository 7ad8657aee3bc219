"""The settings of PostgreSQL without which an acknowledged commit may be lost."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.domain import UnsafeSetting

NEEDED: Mapping[str, tuple[str, ...]] = {
    "synchronous_commit": ("on", "remote_apply"),
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "data_checksums": ("on",),
}


def refuse_unsafe_values(values: Mapping[str, str | None]) -> None:
    """Raises UnsafeSetting for the first wrong value; a setting that the server does not show (None) is let pass."""
    for setting, allowed in NEEDED.items():
        value = values.get(setting)
        if value is not None and value not in allowed:
            raise UnsafeSetting(setting, value, " or ".join(allowed))
