"""Where the program starts: nothing is loaded yet that takes time."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while that is loaded ends it as later, without a trace."""
    try:
        from embedsearch.cli.main import main as door

        door(prog_name="embedsearch")
    except KeyboardInterrupt:
        sys.exit(130)
