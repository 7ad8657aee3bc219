"""A Tryton module that gives a journal entry the caller's own number, unique per company."""
