"""`throughline reprocess`: kept messages read again."""
