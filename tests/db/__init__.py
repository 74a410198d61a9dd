"""Connections, encodings, the server's log."""
