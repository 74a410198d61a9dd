"""What stands around every page, and the start of the server."""
