"""Why an item has its value for a user: shares that add up to it."""
