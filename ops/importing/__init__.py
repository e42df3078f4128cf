"""Runs that happened elsewhere: read from files, and laid into this home's log."""
