"""Personalisation of a team's own searches, and lists written to UBI."""
