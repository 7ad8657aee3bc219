"""Use cases of intake: they take batches, and save each batch whole."""
