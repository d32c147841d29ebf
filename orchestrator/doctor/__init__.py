"""Looks at everything that a run needs, piece by piece: what is well, what is wrong, and what mends it.

Creates one small object and one results queue, and deletes both. One file for each thing that is looked at.
"""
