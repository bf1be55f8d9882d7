"""``python -m embedsearch`` is the command line."""

from embedsearch.cli.start import main

main()
