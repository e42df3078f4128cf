"""What runs inside a job's process: it shuts itself in, then starts and watches the solution.

Standard library only, and few modules of it: a cold start of this package is part of every job's
time. It is imported without its parents (`sys.path` names the folder above), hence by relative
imports alone.
"""
