"""How people run it: command line, workers, recorder, supervisor."""
