"""`throughline x12 inspect`: what is in a file, without any service."""
