"""What changes a ranked list: small components over one list, for users, groups and items alike."""
