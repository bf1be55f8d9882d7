"""Privacy: what must not leave the machine, found before it does."""

from embedsearch.privacy.scanning import Secret, scan

__all__ = ["Secret", "scan"]
