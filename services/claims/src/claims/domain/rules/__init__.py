"""The edits: ordered, versioned rules that a claim must pass before it may go out, written as data."""
