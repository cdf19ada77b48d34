"""How a list is ranked: options and rules become searches, and their hits become a list."""
