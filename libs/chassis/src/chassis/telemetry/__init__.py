"""What a service tells about itself: logs without PHI, metrics with bounded labels, trace context through every hop."""
