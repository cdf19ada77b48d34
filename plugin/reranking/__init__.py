"""What changes a ranked list: small components over one list, for users, groups and items alike.

`draft` is the list while it is made. Each component (`freshness`, `diversity`, `pins`, `shares`) is
a frozen dataclass of its options and changes a draft. `filling` then gives each place of the list
to a candidate, so that every share and every cap of the draft holds.
"""
