"""History, words and attributes of a user become a profile."""
