"""Who brought whom, as the settled state has it."""
