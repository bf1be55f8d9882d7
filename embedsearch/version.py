"""The version of this package; pyproject.toml reads it here, as asking for it takes 15 ms."""

__version__ = "0.1.0"
