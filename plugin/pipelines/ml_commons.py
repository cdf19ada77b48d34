"""The plugin ml-commons of a cluster: its connectors and models, by their names."""

from time import monotonic, sleep
from typing import Any, Final

import orjson

from seealso.cluster import Cluster
from seealso.errors import ClusterError
from seealso.plugin.pipelines.recipe import CONNECTORS, KEY, MODELS, Recipe

MOST: Final = 100
"""Connectors, or models, of one name: more than one where something went wrong before."""

SECONDS: Final = 20.0
"""Within which a model is deployed: a connector loads nothing."""

WITHOUT: Final = (
    "install the plugin opensearch-ml on every node; without it, let the application send what "
    "POST /v1/personalise of the service answers"
)

RIGHTS: Final = (
    "the user needs ml_full_access, cluster:admin/search/pipeline/* and the right to change "
    "settings of the index"
)

TRUST: Final = "an administrator must send the PUT /_cluster/settings that `--dry-run` prints first"


class MlCommons:
    """What a recipe asks of the plugin.

    Parameters
    ----------
    cluster
        Where it is installed.
    recipe
        Names connector and model.
    key
        Of the service; it is shown nowhere.
    """

    def __init__(self, cluster: Cluster, recipe: Recipe, key: str | None = None) -> None:
        self._cluster = cluster
        self._recipe = recipe
        self._key = key

    def find(self, kind: str) -> list[str]:
        """Return the ids of what bears the name, of `CONNECTORS` or `MODELS`.

        Raises
        ------
        ClusterError
            The plugin is not installed, or the user may not ask it.
        """
        query = {"query": {"term": {"name.keyword": self._recipe.name}}, "size": MOST}
        found = self._ask("POST", f"{kind}/_search", query)["hits"]["hits"]
        return sorted(hit["_id"] for hit in found if hit["_source"]["name"] == self._recipe.name)

    def write_connector(self, connector_id: str | None) -> str:
        """Create the connector, or write the one that is there anew, and return its id."""
        body = self._recipe.connector(self._key or KEY)
        if connector_id is None:
            created = self._ask("POST", f"{CONNECTORS}/_create", body, repeat=False)
            return str(created["connector_id"])
        self._ask("PUT", f"{CONNECTORS}/{connector_id}", body)
        return connector_id

    def register(self, connector_id: str) -> str:
        """Register the model, and return its id."""
        body = self._recipe.model(connector_id)
        return str(self._ask("POST", f"{MODELS}/_register", body, repeat=False)["model_id"])

    def undeploy(self, model_id: str) -> None:
        """Let no node hold the model: only then can its connector be changed."""
        self._ask("POST", f"{MODELS}/{model_id}/_undeploy")

    def deploy(self, model_id: str) -> None:
        """Deploy the model, and wait until it is.

        Raises
        ------
        ClusterError
            It cannot be deployed.
        """
        self._ask("POST", f"{MODELS}/{model_id}/_deploy")
        until = monotonic() + SECONDS
        while (state := self._ask("GET", f"{MODELS}/{model_id}").get("model_state")) != "DEPLOYED":
            if monotonic() > until:
                raise ClusterError(
                    f"{self._recipe.name}: the model is not deployed, its state is {state}",
                    hint=f"GET {MODELS}/{model_id} and the log of the cluster say more",
                )
            sleep(0.2)

    def check(self, model_id: str) -> None:
        """Let the cluster ask the service, as it will for each search.

        Raises
        ------
        ClusterError
            It does not reach the service, may not ask it, or gets another answer.
        """
        name = self._recipe.name
        search = {"query": {"match_all": {}}, "ext": {"ml_inference": {"user": name}}}
        parameters = {"user": name, "body": orjson.dumps(search).decode()}
        path = f"{MODELS}/{model_id}/_predict"
        answer = self._ask("POST", path, {"parameters": parameters}, retries=0)
        output = answer["inference_results"][0]["output"][0].get("dataAsMap", {})
        if not isinstance(output.get("body"), str):
            raise ClusterError(
                f"{self._recipe.url}: the cluster got another answer than `seealso serve` gives",
                hint="check --service-address, and that the service is of this version",
            )

    def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        repeat: bool = True,
        retries: int | None = None,
    ) -> Any:
        try:
            return self._cluster.request(method, path, body, repeat=repeat, retries=retries)
        except ClusterError as exc:
            raise self._explain(exc, path) from exc

    def _explain(self, exc: ClusterError, path: str) -> ClusterError:
        """Return the error with its cure, and without the key, whatever quotes it."""
        message, reason = self._without_key(exc.message), self._without_key(_reason(exc))
        if "no handler found for uri" in reason:
            return ClusterError("ml-commons is not installed in this cluster", hint=WITHOUT)
        if "trusted connector endpoint regex" in reason:
            what = f"the cluster does not let connectors ask {self._recipe.address}"
            return ClusterError(what, hint=TRUST)
        if "private ip address" in reason:
            what = f"the cluster lets connectors ask no private address, as {self._recipe.address}"
            return ClusterError(what, hint=TRUST)
        if "remote service" in reason or "remote model" in reason:
            return ClusterError(
                f"the cluster got no answer from {self._recipe.url}: {reason}",
                hint=f"check that every node reaches --service-address, and {KEY[1:-1]}",
            )
        if f"{path}: not allowed" in message:
            return ClusterError(message, hint=RIGHTS)
        return ClusterError(message, hint=exc.hint, caller_hint=exc.caller_hint, **exc.context)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, KEY) if self._key else text


def _reason(exc: ClusterError) -> str:
    """Return what the plugin says: what the service refused has the status that it answered.

    So its 401 is about the key of the service, not about the user of the cluster.
    """
    info = getattr(exc.__cause__, "info", None)
    error = info.get("error", info) if isinstance(info, dict) else info
    reason = error.get("reason") if isinstance(error, dict) else error
    return reason if isinstance(reason, str) else exc.message
