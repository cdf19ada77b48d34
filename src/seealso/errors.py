"""The one error tree of seealso.

Every failure that a caller can meet is one of these; foreign exceptions are turned into the
most specific of them, ``from`` the original::

    SeeAlsoError
    ├── ConfigError            a setting is missing, unknown or contradictory
    ├── DataError              a catalogue or event row cannot be used
    │   └── TooFewEvents       behaviour is too little to learn from, or to ask about
    ├── MissingExtraError      an optional dependency is not installed
    ├── BundleError            a model bundle is missing, damaged or does not fit
    │   └── ParityError        an exported model does not compute what the original does
    ├── NotBetter              a new bundle does not rank better than the old one
    ├── TemplateError          a text or query template cannot be rendered
    ├── ServiceError           a service of seealso refused a request, or did not answer
    └── ClusterError           OpenSearch refused or failed
        ├── Unavailable        it does not answer
        ├── Busy               another run changes the same index
        ├── MappingMismatch    the index is not what the code expects
        ├── PartialAnswer      it answered, but not with all that there is
        ├── BulkWriteError     some documents were not written
        └── NodeError          the embedded node cannot run
"""

from collections.abc import Mapping, Sequence
from typing import Any


class SeeAlsoError(Exception):
    """Base of all errors raised by seealso.

    Parameters
    ----------
    message
        What is wrong, and where: one line.
    hint
        What to do about it: one line, shown below the message.
    caller_hint
        The same for somebody who can change the call alone, where `hint` speaks of settings,
        commands or the cluster; empty where no other call helps. As `hint`, where it is None.
    **context
        Machine-readable facts (file, line, field, index, ...), shown by ``--json``.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        caller_hint: str | None = None,
        **context: object,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.caller_hint = hint if caller_hint is None else caller_hint
        self.context = context


class ConfigError(SeeAlsoError):
    """A setting is missing, unknown or contradictory."""

    exit_code = 2


class DataError(SeeAlsoError):
    """A catalogue or event row cannot be used."""

    exit_code = 3


class TooFewEvents(DataError):
    """Behaviour is too little to learn from, or to ask about."""


class MissingExtraError(SeeAlsoError):
    """An optional dependency is not installed."""

    exit_code = 4

    @classmethod
    def of(cls, package: str, extra: str) -> "MissingExtraError":
        """Build the error for `package`, which ``pip install seealso[extra]`` brings."""
        return cls(
            f"{package} is not installed",
            hint=f"pip install 'seealso[{extra}]'",
            package=package,
            extra=extra,
        )


class BundleError(SeeAlsoError):
    """A model bundle is missing, damaged or does not fit the index."""

    exit_code = 5


class ParityError(BundleError):
    """An exported model does not compute what the original model computes."""


class NotBetter(SeeAlsoError):
    """A new bundle does not rank better than the old one, beyond chance."""

    exit_code = 9


class TemplateError(SeeAlsoError):
    """A text or query template cannot be rendered."""

    exit_code = 6


class ServiceError(SeeAlsoError):
    """A service of seealso refused a request, or did not answer: `seealso.client` raises it.

    Parameters
    ----------
    code
        For programs: the service's own, for instance ``DataError`` or ``TooManyRequests``. Where
        nothing came from it: ``Unreachable``, ``ConnectionLost`` or ``TooLate``; ``UnknownAnswer``
        where what came is not of it.
    status
        Of the answer; None where there is none.
    retry_after
        Seconds after which the request may be sent again, where the service says so.
    request_id
        By which the request is found in the logs of the service and of OpenSearch.
    refused
        Each part of the request that is wrong: its ``field``, and the ``reason``.
    """

    exit_code = 10

    def __init__(
        self,
        message: str,
        *,
        code: str,
        request_id: str,
        status: int | None = None,
        retry_after: float | None = None,
        refused: Sequence[Mapping[str, Any]] = (),
        hint: str | None = None,
        **context: object,
    ) -> None:
        super().__init__(message, hint=hint, caller_hint=None, **context)
        self.code = code
        self.request_id = request_id
        self.status = status
        self.retry_after = retry_after
        self.refused = tuple(refused)


class ClusterError(SeeAlsoError):
    """OpenSearch refused a request or failed to carry it out."""

    exit_code = 7


class Unavailable(ClusterError):
    """OpenSearch does not answer."""

    exit_code = 8


class Busy(ClusterError):
    """Another run changes the same index, or forgets a user: it will end."""


class MappingMismatch(ClusterError):
    """The index is not what the code expects."""


class PartialAnswer(ClusterError):
    """OpenSearch answered with a part of what there is, where the whole is needed.

    A shard was missing or failed, a search ran out of time, or a document could not be read.
    """


class BulkWriteError(ClusterError):
    """Some documents of a bulk load were not written.

    Parameters
    ----------
    failed
        ``(item id, reason)`` of each document refused.
    written
        Number of documents that were written.
    """

    def __init__(
        self,
        message: str,
        *,
        failed: Sequence[tuple[str, str]],
        written: int,
        hint: str | None = None,
        **context: object,
    ) -> None:
        super().__init__(message, hint=hint, caller_hint=None, **context)
        self.failed = tuple(failed)
        self.written = written


class NodeError(ClusterError):
    """The embedded node cannot be installed, started or stopped."""
