"""Which seealso this is: written into what it builds."""

__version__ = "0.2.0"
