"""The advisory locks: the first half of their key is the same for all of ours."""

LOCK_CLASS = 5_036_417  # any number, the same in every version
