"""What is booked and when an entry may move on: rules, postings, batches, journal entries."""
