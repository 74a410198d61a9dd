"""Decisions, reviews, undo, erasure."""
