"""Reconciliation: proves that billing, the subledger and the ERP say the same, and explains every difference."""
