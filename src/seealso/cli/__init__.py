"""The terminal: click commands, one library call each. Results on stdout, the rest on stderr.

At the top, a module imports what its help needs; the rest is imported when the command runs.
"""
