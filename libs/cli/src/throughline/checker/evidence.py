"""Where everything is that can be looked at: `checker.json` of the state folder, written by whoever starts the suite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from throughline.checker.reading.streams import NatsLogin
from throughline.checker.vocabulary import SERVICES

FILE = "checker.json"
NEEDED = ("intake", "claims", "payments", "ledger")


class NoEvidence(Exception):
    """There is no `checker.json`, or it does not say what is needed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Logins and places. `erp_info` leads to a Tryton, `erp_exports` are what other ERPs have written of their books.

    Without any of them there is no ERP to compare with, for the reason given.
    """

    dsns: Mapping[str, str]
    keys_dsn: str
    nats: NatsLogin
    erp_info: Path | None
    erp_exports: tuple[Path, ...]
    no_erp: str
    logs: tuple[Path, ...]
    metrics: tuple[str, ...]
    canaries: Path | None
    processes: tuple[Path, ...]
    replicas: int
    settled: bool

    @property
    def has_erp(self) -> bool:
        return self.erp_info is not None or bool(self.erp_exports)

    @classmethod
    def read(cls, folder: Path) -> Evidence:
        """
        Raises:
            NoEvidence: see there.
        """
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls.of(content)
        except FileNotFoundError:
            raise NoEvidence(f"{path} is missing; `throughline up` and `throughline demo` write it") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoEvidence(f"{path} cannot be used: {type(error).__name__} {error}") from None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Evidence:
        dsns = {name: store["dsn"] for name, store in content["stores"].items() if name in SERVICES}
        missing = [name for name in NEEDED if name not in dsns]
        if missing:
            raise KeyError(f"stores: {', '.join(missing)}")
        login = content["nats"]
        erp = content.get("erp") or {}
        is_tryton = erp.get("kind") == "tryton"
        exports = tuple(map(Path, content.get("erp_exports") or ()))
        return cls(
            dsns={name: dsns[name] for name in SERVICES if name in dsns},
            keys_dsn=content.get("keys_dsn") or "",
            nats=NatsLogin(
                login["url"], login["user"], login["password"], login["inbox_prefix"], content["nats_monitoring"]
            ),
            erp_info=Path(erp["info"]) if is_tryton else None,
            erp_exports=exports,
            no_erp="" if is_tryton or exports else f"the ERP is {erp.get('kind', 'none')}, and has written no export",
            logs=tuple(map(Path, content.get("logs") or ())),
            metrics=tuple(content.get("metrics") or ()),
            canaries=Path(content["canaries"]) if content.get("canaries") else None,
            processes=tuple(_records(content.get("processes") or [])),
            replicas=int(content.get("replicas", 1)),
            settled=bool(content.get("settled", True)),
        )


def _records(places: str | list[str]) -> list[Path]:
    """The record files; a folder stands for those of the folders in it."""
    found: list[Path] = []
    for place in [places] if isinstance(places, str) else places:
        path = Path(place)
        found += sorted(path.glob("*/process.json")) if path.is_dir() else [path]
    return found
