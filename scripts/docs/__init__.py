"""Checks that what the documents say is so: `python -m scripts.docs` lists what is not.

Each check is a function from text (and facts about the tree) to a list of sentences; `__main__` feeds them the tree.
"""
