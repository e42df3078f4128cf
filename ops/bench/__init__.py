"""Measures what the system itself costs."""
