"""What the tests share: a server, databases cloned from templates, small factories."""
