"""Patients, encounters, remittance receipts and payers' answers: the rules, without any format or transport."""
