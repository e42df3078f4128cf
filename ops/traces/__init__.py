"""Printed logs of ML-Master 1.0: read, and decided again by the profile `code`."""
