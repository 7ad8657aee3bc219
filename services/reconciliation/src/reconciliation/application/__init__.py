"""What reconciliation does: reads the books, proves them, keeps the breaks."""
