"""The simulated outside world: an EHR, a clearinghouse with its payers, a bank and a card gateway. All people are made up."""
