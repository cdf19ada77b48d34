"""The terminal: click commands, one library call each. Results on stdout, the rest on stderr."""
