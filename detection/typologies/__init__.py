"""The typologies: a module each, all in the one table of `detection/table.py`."""
