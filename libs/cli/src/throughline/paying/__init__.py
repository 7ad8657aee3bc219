"""`throughline payments|unapplied|write-offs|statement`: patients' money, and what people decide about it."""
