"""All five services in one process on simulated stores, streams and outside world, driven and replayed by one seed."""
