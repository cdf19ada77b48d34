"""How a list is ranked: what is asked for, by which searches, and what their answers say."""
