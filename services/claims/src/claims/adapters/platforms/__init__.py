"""External platforms that work claims in our place: transactions out, reports in, by REST or by files."""
