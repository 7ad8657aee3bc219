"""What every service offers to those who operate it: its exceptions, and the histories of its aggregates."""
