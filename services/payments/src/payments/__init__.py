"""Payments: remittances, deposits, patient payments and patient accounts; every cent received once and matched or visible."""
