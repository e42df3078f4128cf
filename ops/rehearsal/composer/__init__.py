"""Composing programs and notes from what a prompt says: designs as values, no language model. Pure."""
