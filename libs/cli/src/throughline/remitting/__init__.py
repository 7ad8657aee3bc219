"""`throughline remit`: remittances, and what stays open between payers and providers."""
