"""The rules in plain Python, written from the design and not from the SQL."""
