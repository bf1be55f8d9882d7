"""Comparison: what is alike, what is odd, what a collection is made of."""
