"""What lets a cluster personalise searches: a connector, a model, a search pipeline, a setting.

Every body is as the sources of ml-commons 2.19.1 and 3.5.0 read it (``HttpConnector``,
``ConnectorUtils``, ``MLInferenceSearchRequestProcessor``):

- The processor hands on values of a search as parameters, and the connector puts them into its
  ``request_body`` as texts. A text that is JSON is put there as it is, others are escaped: so the
  whole body goes over, and the service reads the user in it.
- ``input_map`` demands the user: where a search names none, the processor ends before it asks the
  service, and ``ignore_failure`` lets the search go on as it is. ``optional_input_map`` would ask
  the service for every search, and 2.19.1 does not know it. ``ignore_missing`` must not be set:
  from 2.19.2 on, such a search would be carried out twice.
- ``query_template`` is filled with a text; an object would become no JSON on 2.19.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from seealso.config.cluster import holds_secret
from seealso.errors import ConfigError

ADDRESS: Final = "/v1/personalise/pipeline"
"""What the connector asks of the service."""

CONNECTORS: Final = "/_plugins/_ml/connectors"
MODELS: Final = "/_plugins/_ml/models"

DEFAULT_PIPELINE: Final = "index.search.default_pipeline"
"""The setting of an index that names its search pipeline."""

KEY: Final = "<SEEALSO_SERVICE_KEY>"
CONNECTOR_ID: Final = "<connector_id>"
MODEL_ID: Final = "<model_id>"
"""Stand in what is printed for the key, which is secret, and for ids that the cluster will give."""

SECONDS: Final = 1
"""How long a search waits for a connection, and for the answer; then it goes on as it is."""


@dataclass(frozen=True, slots=True)
class ClusterRequest:
    """A request to OpenSearch.

    Attributes
    ----------
    method, path
        For instance ``PUT``, ``/_search/pipeline/products``.
    body
        What is sent as JSON, if anything.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is installed for one index.

    Attributes
    ----------
    alias
        By which the service answers; names are derived from it.
    address
        Where the nodes of the cluster reach the service; the name alone needs none.
    keyed
        Whether the service asks for a key.
    """

    alias: str
    address: str = ""
    keyed: bool = False

    @classmethod
    def of(cls, alias: str, service_address: str, *, keyed: bool) -> "Recipe":
        """Return what is installed for an alias.

        Raises
        ------
        ConfigError
            The address is none, or holds a password.
        """
        return cls(alias, _read_address(service_address), keyed)

    @property
    def name(self) -> str:
        """What connector, model and pipeline are called."""
        return f"seealso-personalise-{self.alias}"

    @property
    def url(self) -> str:
        """What the connector asks."""
        return f"{self.address}{ADDRESS}"

    def connector(self, key: str = KEY) -> dict[str, Any]:
        """Return the connector; `key` goes where only the cluster can read it."""
        headers = {"Authorization": "Bearer ${credential.key}"} if self.keyed else {}
        return {
            "name": self.name,
            "description": "Asks seealso to personalise a search",
            "version": "1",
            "protocol": "http",
            # none is sent without a key, but ml-commons refuses a connector without any
            "credential": {"key": key if self.keyed else "none"},
            "client_config": {"connection_timeout": SECONDS, "read_timeout": SECONDS},
            "actions": [
                {
                    "action_type": "predict",
                    "method": "POST",
                    "url": self.url,
                    "headers": {"Content-Type": "application/json", **headers},
                    "request_body": '{"body": ${parameters.body}}',
                }
            ],
        }

    def model(self, connector_id: str = CONNECTOR_ID) -> dict[str, Any]:
        """Return the model, which is the connector under an id that a processor can name."""
        return {
            "name": self.name,
            "function_name": "remote",
            "description": "Personalises a search with seealso",
            "connector_id": connector_id,
        }

    def pipeline(self, model_id: str = MODEL_ID) -> dict[str, Any]:
        """Return the search pipeline."""
        return {
            "description": "Personalises searches that name a user in ext.ml_inference.user",
            "request_processors": [
                {
                    "ml_inference": {
                        "model_id": model_id,
                        "input_map": [{"user": "ext.ml_inference.user", "body": "$"}],
                        "output_map": [{"body": "body"}],
                        "query_template": "${body}",
                        "ignore_failure": True,
                    }
                }
            ],
        }

    def requests(self, index: str, *, default: bool) -> tuple[ClusterRequest, ...]:
        """Return the requests that install it, in their order.

        Parameters
        ----------
        index
            The physical index.
        default
            Whether searches of the index go through the pipeline where they name none.
        """
        named = {DEFAULT_PIPELINE: self.name}
        return (
            ClusterRequest("POST", f"{CONNECTORS}/_create", self.connector()),
            ClusterRequest("POST", f"{MODELS}/_register", self.model()),
            ClusterRequest("POST", f"{MODELS}/{MODEL_ID}/_deploy"),
            ClusterRequest("PUT", f"/_search/pipeline/{self.name}", self.pipeline()),
            *((ClusterRequest("PUT", f"/{index}/_settings", named),) if default else ()),
        )


def _read_address(address: str) -> str:
    """Return the address of a service without a slash at its end.

    Raises
    ------
    ConfigError
        It is none, or holds a password.
    """
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(
            f"--service-address: {address!r} is no address of a service",
            hint="give the one by which the nodes of the cluster reach `seealso serve`, for "
            "instance http://recommender:8080",
            field="service_address",
        )
    if holds_secret(address):
        raise ConfigError(
            "--service-address: an address must not contain a user or password",
            hint="the key of the service comes from SEEALSO_SERVICE_KEY",
            field="service_address",
        )
    return address.strip().rstrip("/")
