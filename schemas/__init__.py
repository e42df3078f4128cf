"""What is said: events, their envelope, tasks and settings. Imports nothing of ours, does no I/O."""
