"""Pieces of programs: the composer copies the source of those that a program needs into it.

The server never imports them; each is ordinary code, so that it can be read, typed and tested.
"""
