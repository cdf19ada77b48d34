"""``python -m seealso``: the same as the command ``seealso``."""

from seealso.cli.main import main

main()
