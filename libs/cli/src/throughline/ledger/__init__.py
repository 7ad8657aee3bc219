"""What an accountant asks of the ledger adapter."""
