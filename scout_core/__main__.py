"""`python -m scout_core VERB`."""

from scout_core.cli import main

if __name__ == "__main__":
    main()
