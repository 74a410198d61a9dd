"""Deciding and reviewing on a page."""
