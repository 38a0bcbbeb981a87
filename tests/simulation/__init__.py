"""Daybook's processes in one thread, where everything that can go wrong does, by the chance of a seed."""
