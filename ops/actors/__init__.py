"""What an actor process adds to the loop in ops/worker.py: its place, and its tools."""
