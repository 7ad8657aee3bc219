"""The ledger adapter: subledger postings, summarised journal entries, and their way into the ERP."""
