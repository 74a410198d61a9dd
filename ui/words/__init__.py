"""The words of the screens, a file a page: WORDS = {name: (Spanish, English)}."""
