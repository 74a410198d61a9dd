"""Who may do what: roles, tokens, sessions, refusals, and what a note may say."""
