"""The recorder: the only writer of the log, and what it answers for."""
