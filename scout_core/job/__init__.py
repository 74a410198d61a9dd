"""The job: what it would do, and doing it."""
