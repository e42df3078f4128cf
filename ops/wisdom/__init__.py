"""The wisdom of earlier runs, kept by hand: looked at, brought in, taken away, and told again."""
