"""Live events: kept once each, and what follows from them for users and items."""
