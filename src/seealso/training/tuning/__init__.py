"""The search for settings that rank best on dev."""
