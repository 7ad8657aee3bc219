"""The independent checker: recomputes every promise from the raw stores, the streams and the ERP.

It shares no code with what it judges. Formulas and event names are written down here a second time on purpose: a mistake
in the one place does not excuse itself in the other.
"""
