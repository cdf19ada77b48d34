"""From settings to a cluster: the one that they name, or the embedded node.

Secrets are taken from the environment here, and nowhere else.
"""

import os
from collections.abc import Mapping

from seealso.cluster.auth import Authorisation, Basic, Signed
from seealso.cluster.client import Cluster
from seealso.cluster.tls import PASSPHRASE, Certificates
from seealso.config import Settings
from seealso.errors import Unavailable


def connect(settings: Settings, environ: Mapping[str, str] | None = None) -> Cluster:
    """Return the cluster that the settings name, or the embedded node.

    Parameters
    ----------
    settings
        Section ``cluster`` and ``node_root`` are used.
    environ
        Holds the secrets: ``SEEALSO_PASSWORD``, ``SEEALSO_CLIENT_KEY_PASSWORD``; the environment
        of the process by default.

    Returns
    -------
    Cluster
        Close it, or use it in a ``with`` block.

    Raises
    ------
    ConfigError
        A certificate cannot be read, or requests are to be signed without credentials.
    MissingExtraError
        Requests are to be signed without botocore.
    Unavailable
        None is named and no embedded node runs.
    """
    chosen = settings.cluster
    secrets = os.environ if environ is None else environ
    password = secrets.get("SEEALSO_PASSWORD")
    certificates = Certificates(
        chosen.ca_file, chosen.client_certificate, chosen.client_key, secrets.get(PASSPHRASE)
    )
    auth: Authorisation | None = None
    if chosen.aws_region is not None:
        auth = Signed(chosen.aws_region, chosen.aws_service, chosen.aws_profile)
    elif chosen.username:
        auth = Basic(chosen.username, password or "")
    return Cluster(
        chosen.url or _node_url(settings),
        certificates=certificates,
        auth=auth,
        hosts=chosen.hosts,
        sniff=chosen.sniff,
        timeout=chosen.timeout,
        retries=chosen.retries,
        allow_plain_text=chosen.allow_plain_text,
    )


def _node_url(settings: Settings) -> str:
    # the node needs an extra, which whoever has a cluster can do without
    from seealso.cluster.node import VERSIONS, Node

    for version in VERSIONS:
        running = Node(settings.node_root, version=version).status()
        if running is not None:
            return running.url
    raise Unavailable(
        "no cluster: cluster.url is not set and no embedded node runs",
        hint="run `seealso node start`, or set cluster.url in seealso.toml",
    )
