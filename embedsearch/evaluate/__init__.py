"""Evaluation: how far a classifier can be trusted, honestly measured."""
