"""How events travel: subjects, the stream, claims, the embedded server. Knows NATS, not the log."""
