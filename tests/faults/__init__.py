"""Kills, locks, networks, disks, tampering."""
