"""Benchmarks that airspeed velocity repeats over the commits: ``asv run``, ``asv publish`` (see ``asv.conf.json``).

Small sizes, no peers and no files from outside: what counts is the change from one commit to the next.
"""
