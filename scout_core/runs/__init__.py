"""Runs: their record, their lock, their seals, their audit."""
