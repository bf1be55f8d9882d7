"""``python -m embedsearch`` is the command line."""

from embedsearch.cli.main import main

main(prog_name="embedsearch")
