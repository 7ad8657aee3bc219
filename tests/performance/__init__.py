"""How fast the suite is on this machine: one table of figures, each beside a bare baseline of the same run."""
