"""The rehearsal model: a local server with the OpenAI interface and no language model inside.

It composes real programs from the data preview and the lessons that a prompt carries, or plays
back recorded ones, so that everything around a model can be run and tested without one.
"""
