"""Lists for several people: who they are, one search for all, and how wishes become one order."""
