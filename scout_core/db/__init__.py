"""The database: connections, transactions, statements, locks."""
