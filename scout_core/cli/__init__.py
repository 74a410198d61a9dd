"""The command line."""


def main() -> None:
    """Run the verb that the arguments name."""
    raise SystemExit(2)
