"""Sync: what changed in a folder since it was last read, and the two loops that apply it.

The first loop takes in (read, chunk, full text), the second embeds what is pending. The database
joins them: a crash anywhere leaves a shorter to-do list, and nothing else.
"""
