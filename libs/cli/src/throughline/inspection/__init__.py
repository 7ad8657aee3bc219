"""`throughline x12 inspect` and `explain`: what is in a file, without any service."""
