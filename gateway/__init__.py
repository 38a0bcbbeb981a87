"""What comes in: files, lines and the demo bank become commands. Decides nothing; every answer is the
engine's.
"""
