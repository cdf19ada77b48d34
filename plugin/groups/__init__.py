"""Lists for several people: members, a search for all of them, one order of what each prefers."""
