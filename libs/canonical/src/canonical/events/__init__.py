"""The public events, one module a service: promises to every subscriber. Importing this package registers them all."""

from canonical.events import claims, intake, ledger, payments, reconciliation

__all__ = ["claims", "intake", "ledger", "payments", "reconciliation"]
