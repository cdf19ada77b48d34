"""Who is asked for: history, words and attributes of a user become a profile."""
