"""`throughline claim` and `throughline denials`: one claim whole, the proof of its filing, and the work on denials."""
