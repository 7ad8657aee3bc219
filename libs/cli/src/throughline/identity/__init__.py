"""`throughline patient`: which patients are one person, and who decides it."""
