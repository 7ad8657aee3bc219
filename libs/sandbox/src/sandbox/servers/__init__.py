"""The real servers of the local suite, each started from its wheel on a loopback port."""
