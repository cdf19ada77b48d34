"""TLS: certificates are always verified; a client shows its own where the cluster wants one."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opensearchpy import Urllib3HttpConnection

from seealso.errors import ConfigError

PASSPHRASE = "SEEALSO_CLIENT_KEY_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a client trusts and shows.

    Attributes
    ----------
    ca_file
        Authority that signed the cluster's certificate; those of the system by default.
    client, key
        Certificate that this client shows, and its key where that is a file of its own.
    passphrase
        Opens the key, if it is encrypted.
    """

    ca_file: Path | None = None
    client: Path | None = None
    key: Path | None = None
    passphrase: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Return how connections are made.

        Raises
        ------
        ConfigError
            A file is missing or is not what it should be; the message names it.
        """
        trusted = self.ca_file or Urllib3HttpConnection.default_ca_certs()
        context = ssl.create_default_context()
        if trusted is not None:
            _read(lambda: _trust(context, Path(trusted)), "ca_file", Path(trusted))
        client = self.client
        if client is not None:
            _read(
                lambda: context.load_cert_chain(client, self.key, self._passphrase),
                "client_certificate" if self.key is None else "client_key",
                self.key or client,
            )
        return context

    def _passphrase(self) -> str:
        # without an answer from here, OpenSSL would ask at the terminal
        if self.passphrase is None:
            raise ConfigError(
                f"{self.key or self.client}: the key is encrypted",
                hint=f"set the environment variable {PASSPHRASE}",
            )
        return self.passphrase


def _trust(context: ssl.SSLContext, authority: Path) -> None:
    if authority.is_dir():
        context.load_verify_locations(capath=authority)
    else:
        context.load_verify_locations(cafile=authority)


def _read(load: Callable[[], None], setting: str, file: Path) -> None:
    try:
        load()
    except ssl.SSLError as exc:
        what = "is not the key of the certificate" if "MISMATCH" in str(exc) else _UNREADABLE
        raise ConfigError(f"{file}: {what}", hint=f"check cluster.{setting}") from exc
    except OSError as exc:
        missing = exc.filename or file
        raise ConfigError(
            f"{missing}: {exc.strerror or exc}", hint=f"check cluster.{setting}"
        ) from exc


_UNREADABLE = "no certificate or key in PEM that can be read (is the passphrase right?)"
