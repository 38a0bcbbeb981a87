"""What is counted so that features of a movement can be read: see `schemas/features.py` for what they mean.

Everything in here is bounded, whoever pays whom how often: windows are slices of book time of which the
oldest counts whole, and what was seen is remembered for the newest so many. Only what some document of rules
in force names is counted, from the moment in which it takes effect; `evolve` counts, and decisions only look.
"""
