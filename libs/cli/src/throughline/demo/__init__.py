"""The demo: a seeded story of billing, told on the real suite and checked to the cent."""
