"""What each service's events add up to, computed from their stored form alone."""
