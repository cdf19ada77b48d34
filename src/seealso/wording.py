"""Numbers in sentences."""


def format_count(number: int, noun: str) -> str:
    """Return a number of things as a person says it: 1 user, 8,000 users.

    Parameters
    ----------
    number
        How many there are.
    noun
        What one of them is called; its plural ends in s.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
