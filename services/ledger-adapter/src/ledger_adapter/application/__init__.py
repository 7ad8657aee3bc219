"""Use cases of the ledger adapter: draft postings, close groups into journal entries, post them."""
