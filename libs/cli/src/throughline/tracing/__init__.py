"""`throughline trace`: from a journal line at the ERP down to the bytes it came from, adding up at every level."""
