"""``python -m cs_helpers`` is the command ``cs-helpers``."""

from cs_helpers.cli import main

if __name__ == "__main__":
    main()
