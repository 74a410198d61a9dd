"""Scout attribution: rules, refresh job, audit and reports on PostgreSQL."""

__version__ = "0.1.0"
