"""What the pages share: frame, reads, tables, charts, words, and the shield of the server."""
