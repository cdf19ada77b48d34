"""The client: one method for each address of a service, named as the library names it."""

from seealso.client.changes import Changes
from seealso.client.lists import Lists
from seealso.client.users import Users


class Client(Lists, Users, Changes):
    """Asks a service of seealso; safe to share between threads. Use it in a ``with`` block.

    Parameters
    ----------
    url
        Of the service, or of the gateway in front of it.
    key
        One of those that the service knows; by default that of the environment variable
        ``SEEALSO_SERVICE_KEY``. It is sent in a header, and neither shown nor logged.
    timeout
        Seconds that the service may take to be reached, and then for each part of its answer.
    retries
        How often a request is sent again where the service is busy, gone or restarting, after the
        time that it names. What may have been carried out is sent again only where that is
        harmless.

    Raises
    ------
    ConfigError
        The address is none, or the key cannot be sent.
    """
