"""Who is in the suite, and what each service is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Member:
    """One service: `name` in subjects and scopes, `user` at NATS, `module` to run; `doors` are ports it opens beside gRPC.

    With `calls_apart` a process of its own answers calls, so that no batch keeps them waiting.
    """

    name: str
    user: str
    module: str
    doors: tuple[str, ...] = ()
    holds_keys: bool = False
    calls_apart: bool = False
    calls: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        return f"{self.module}:SHAPE"

    @property
    def calls_user(self) -> str:
        """What the process that only answers calls is called."""
        return f"{self.user}-calls"

    @property
    def client_scopes(self) -> tuple[str, ...]:
        """What its own token may do at the others."""
        return tuple(f"{service}.read" for service in self.calls)


MEMBERS = (
    Member(
        "intake",
        "intake",
        "intake.main",
        doors=("http", "mllp"),
        holds_keys=True,
        calls_apart=True,
        calls=("claims",),
    ),
    Member("claims", "claims", "claims.main", doors=("http",), holds_keys=True, calls_apart=True, calls=("payments",)),
    Member(
        "payments", "payments", "payments.main", doors=("http",), holds_keys=True, calls_apart=True, calls=("claims",)
    ),
    Member("ledger", "ledger-adapter", "ledger_adapter.main"),
    Member(
        "reconciliation",
        "reconciliation",
        "reconciliation.main",
        calls=("intake", "claims", "payments", "ledger"),
    ),
)
KEYS_DATABASE = "keys"
EVERY_READ = tuple(f"{member.name}.read" for member in MEMBERS)
EVERY_WRITE = tuple(f"{member.name}.write" for member in MEMBERS)
MASTER_DATA_SCOPES = ("master-data.write", "master-data.approve")
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "ehr": ("intake.write",),
    "operator": (
        *EVERY_READ,
        *EVERY_WRITE,
        "intake.patients.write",
        "intake.reprocess",
        "payments.approve",
        *MASTER_DATA_SCOPES,
    ),
    "registrar": ("intake.read", "intake.patients.write", "phi.read"),
    "approver": (
        "intake.read",
        "intake.write",
        "master-data.approve",
        "claims.read",
        "claims.write",
        "payments.read",
        "payments.approve",
    ),
    "auditor": (*EVERY_READ, "intake.raw.read", "claims.raw.read"),
    **{f"service-{member.name}": member.client_scopes for member in MEMBERS if member.calls},
}
