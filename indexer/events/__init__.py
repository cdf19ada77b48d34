"""Live events: stored once each, and applied to the documents of users and items."""
