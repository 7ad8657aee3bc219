"""The suite on real servers: how it is started, told a story, and looked at."""
