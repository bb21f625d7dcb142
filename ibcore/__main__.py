"""``python -m ibcore``: see ``ibcore.cli``."""

from ibcore.cli import main

if __name__ == "__main__":
    main()
