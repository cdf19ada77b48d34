"""A cluster with ml-commons: a real node, and what `ml_processor` knows of the plugin before it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx

from tests.integration.gateways import Refusal, Request, gateway
from tests.integration.ml_processor import OLD, Connector, Failed, Processor

BASE: Final = "/_plugins/_ml"
NAMES: Final = re.compile(r"[\w\s.,!?():@\-/'\"]*")
"""What names and descriptions may hold."""

DEFAULT: Final = "index.search.default_pipeline"
TRUSTED: Final = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE: Final = "plugins.ml_commons.connector.private_ip_enabled"

Answer = tuple[int, Any]


class Refused(Exception):
    """The plugin refuses a request."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class MlCommons:
    """The plugin of one cluster.

    Attributes
    ----------
    node, version
        The real node, and its version.
    trusted, private
        What connectors may ask.
    connectors, models, pipelines
        What was created, by id; pipelines by name.
    asked
        Searches that went through a pipeline.
    """

    node: str
    version: str
    trusted: list[str] = field(default_factory=lambda: ["^http://127\\.0\\.0\\.1:.*$"])
    private: bool = True
    connectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def admit(self, request: Request) -> Refusal | None:
        """Answer what is the plugin's; None for what the node answers."""
        path = urlsplit(request.target).path
        try:
            found = self._answer(request, path)
        except Refused as exc:
            error = {"type": "illegal_argument_exception", "reason": str(exc)}
            found = exc.status, {"error": {**error, "root_cause": [error]}, "status": exc.status}
        return None if found is None else (found[0], json.dumps(found[1]).encode())

    def _answer(self, request: Request, path: str) -> Answer | None:
        body = json.loads(request.body) if request.body.startswith(b"{") else {}
        if path.startswith(BASE):
            return 200, self._plugin(request.method, path.removeprefix(BASE), body)
        if path.startswith("/_search/pipeline/"):
            return self._pipeline(request.method, path.rpartition("/")[2], body)
        if path == "/_cluster/settings" and request.method == "GET":
            found = httpx.get(self.node + request.target).json()
            return 200, found | {"defaults": {TRUSTED: self.trusted, PRIVATE: str(self.private)}}
        if path.endswith("/_search") and request.method == "POST":
            return self._search(request, path, body)
        return None

    def _plugin(self, method: str, path: str, body: Any) -> Any:
        match [method, *path.strip("/").split("/")]:
            case ["POST", "connectors", "_create"]:
                return {"connector_id": self._write_connector(uuid4().hex, body)}
            case ["PUT", "connectors", one]:
                if users := [each for each in self._using(one) if self._deployed(each)]:
                    raise Refused(
                        400,
                        f"{len(users)} models are still using this connector, please undeploy "
                        f"the models first: {users}",
                    )
                return {"_id": self._write_connector(one, body), "result": "updated"}
            case ["DELETE", "connectors", one]:
                if self._using(one):
                    raise Refused(409, "models are still using this connector")
                return {"_id": one, "result": self.connectors.pop(one) and "deleted"}
            case ["POST", "models", "_register"]:
                return self._register(body)
            case ["POST", ("connectors" | "models") as kind, "_search"]:
                return self._found(kind, body["query"]["term"]["name.keyword"])
            case [_, "models", one, *action]:
                return self._model(method, one, action, body)
        raise Refused(400, f"no handler found for uri [{BASE}{path}] and method [{method}]")

    def _write_connector(self, one: str, body: dict[str, Any]) -> str:
        if not body.get("credential"):
            raise Refused(400, "Connector credential is null or empty list")
        for name in ("name", "description"):
            if not NAMES.fullmatch(body[name]):
                raise Refused(400, f"Model connector {name} can only contain letters")
        for action in body["actions"]:
            if not any(re.fullmatch(each, action["url"]) for each in self.trusted):
                said = "Connector URL is not matching the trusted connector endpoint regex"
                raise Refused(400, said)
        self.connectors[one] = body
        return one

    def _register(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["function_name"] != "remote" or body["connector_id"] not in self.connectors:
            raise Refused(404, "Failed to find connector")
        one = uuid4().hex
        self.models[one] = {**body, "model_state": "REGISTERED"}
        return {"task_id": uuid4().hex, "status": "CREATED", "model_id": one}

    def _found(self, kind: str, name: str) -> Any:
        there = self.connectors if kind == "connectors" else self.models
        hits = [
            {"_id": one, "_source": {k: v for k, v in body.items() if k != "credential"}}
            for one, body in there.items()
            if body["name"] == name
        ]
        return {"hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": hits}}

    def _model(self, method: str, one: str, action: list[str], body: Any) -> Any:
        match [method, *action]:
            case ["GET"]:
                return self.models[one]
            case ["POST", "_deploy"]:
                self.models[one]["model_state"] = "DEPLOYED"
                return {"task_id": uuid4().hex, "status": "COMPLETED"}
            case ["POST", "_undeploy"]:
                self.models[one]["model_state"] = "UNDEPLOYED"
                return {}
            case ["POST", "_predict"]:
                try:
                    answer = self._connector(one).predict(body["parameters"])
                except Failed as exc:
                    raise Refused(exc.status, str(exc)) from exc
                output = [{"name": "response", "dataAsMap": answer}]
                return {"inference_results": [{"output": output, "status_code": 200}]}
            case ["DELETE"]:
                if self._deployed(one):
                    raise Refused(400, "Model cannot be deleted in deploying or deployed state")
                named = [each for each, made in self.pipelines.items() if one in json.dumps(made)]
                if named:
                    raise Refused(409, f"1 search pipelines are still using this model: {named}")
                return {"_id": one, "result": self.models.pop(one) and "deleted"}
        raise Refused(400, "no handler found for uri")

    def _using(self, connector: str) -> list[str]:
        return [one for one, body in self.models.items() if body["connector_id"] == connector]

    def _deployed(self, model: str) -> bool:
        return bool(self.models[model]["model_state"] == "DEPLOYED")

    def _connector(self, model: str) -> Connector:
        if not self.private:
            raise Refused(400, "Remote inference host name has private ip address: 127.0.0.1")
        if not self._deployed(model):
            raise Refused(400, "Model not ready yet. Please deploy the model first.")
        return Connector(self.connectors[self.models[model]["connector_id"]])

    def _pipeline(self, method: str, name: str, body: dict[str, Any]) -> Answer | None:
        if method == "PUT" and "ml_inference" in json.dumps(body):
            (processor,) = body["request_processors"]
            try:
                Processor(processor["ml_inference"], self.version).check()
            except ValueError as exc:
                raise Refused(400, str(exc)) from exc
            self.pipelines[name] = body
            # what asks the node past the plugin finds one, and nothing in it
            httpx.put(f"{self.node}/_search/pipeline/{name}", json={}).raise_for_status()
            return 200, {"acknowledged": True}
        if name not in self.pipelines:
            return None
        if method == "DELETE":
            self.remove_pipeline(name)
            return 200, {"acknowledged": True}
        return 200, {name: self.pipelines[name]}

    def remove_pipeline(self, name: str) -> None:
        """Forget a pipeline, here and in the node."""
        del self.pipelines[name]
        httpx.delete(f"{self.node}/_search/pipeline/{name}").raise_for_status()

    def _search(self, request: Request, path: str, body: Any) -> Answer:
        """Carry out a search, through its pipeline where it has one."""
        params = {name: each[0] for name, each in parse_qs(urlsplit(request.target).query).items()}
        named = params.pop("search_pipeline", None) or self._default(path.split("/")[1])
        if named in self.pipelines:
            (processor,) = self.pipelines[named]["request_processors"]
            body = self._through(Processor(processor["ml_inference"], self.version), body)
            named = "_none"
        extensions = body.pop("ext", {})
        # parsed by the plugin, which the node has not
        assert all(isinstance(one, dict) for one in extensions.values())
        query = urlencode({**params, **({} if named is None else {"search_pipeline": named})})
        answer = httpx.post(f"{self.node}{path}?{query}", json=body, timeout=30)
        return answer.status_code, answer.json()

    def _default(self, index: str) -> str | None:
        settings = httpx.get(f"{self.node}/{index}/_settings?flat_settings=true").json()
        names = {one["settings"].get(DEFAULT) for one in settings.values()}
        return names.pop() if len(names) == 1 else None

    def _through(self, processor: Processor, body: Any) -> Any:
        self.asked.append(body)
        try:
            connector = self._connector(processor.config["model_id"])
        except Refused:
            return dict(body)
        return dict(processor.rewrite(body, connector))


OpenCluster = Callable[..., tuple[str, MlCommons]]


@contextmanager
def with_plugin(node: str, version: str, **changes: Any) -> Iterator[tuple[str, MlCommons]]:
    """Run a cluster with the plugin, and yield its address and the plugin."""
    plugin = MlCommons(node, OLD if version.startswith("2.") else version, **changes)
    with gateway(node, plugin.admit) as running:
        try:
            yield running.url, plugin
        finally:
            for name in [*plugin.pipelines]:
                plugin.remove_pipeline(name)
