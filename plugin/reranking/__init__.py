"""What changes a ranked list: small components over one list, for users, groups and items alike.

`draft` has the list while it is made. Each component (`freshness`, `diversity`, `pins`, `shares`,
`caps`) is a frozen dataclass of its options, changes a draft, and says what a finished list lacks
of it; `filling` then gives each place of the list to a candidate.
"""
