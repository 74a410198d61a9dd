"""The command line, settings, logs."""
