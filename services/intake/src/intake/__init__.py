"""Intake: what comes in through any door is kept, understood or refused by name, and announced."""
