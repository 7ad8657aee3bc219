"""`throughline`, the command line: a thin client of the services, and tools that need none of them."""
