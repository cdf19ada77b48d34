"""How ml-commons carries out a search that goes through a connector, as its sources have it.

The plugin cannot be had from packages, so it does not run in these tests. Each step here is one of
its classes, at the tags 2.19.1.0 and 3.5.0.0 of opensearch-project/ml-commons:
``MLInferenceSearchRequestProcessor``, ``ModelExecutor``, ``RemoteConnectorExecutor``,
``ConnectorUtils``, ``HttpConnector``; the substitution is that of commons-text. The search that
comes out is sent to a real node, and the service that is asked is a real one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

Values = Mapping[str, Any]

OLD: Final = "2.19.1"

KNOWN: Final = {"model_id", "function_name", "input_map", "output_map", "query_template",
                "ignore_failure", "ignore_missing", "model_config", "max_prediction_tasks",
                "model_input", "full_response_path", "tag", "description"}  # fmt: skip
"""Parameters of the processor on 2.19.1; later versions have the optional maps as well."""


class Failed(Exception):
    """The processor fails: with ``ignore_failure``, the search goes on as it was."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def substitute(text: str, values: Values, prefix: str = "${", within: tuple[str, ...] = ()) -> str:
    """Return a text with its variables filled in, those of what was filled in as well.

    ``StringSubstitutor`` of commons-text: ``$`` before a variable keeps it as it is, ``:-`` begins
    a default, an unknown variable stays, and one that holds itself is an error.
    """
    made, rest_at = [], 0
    while (start := text.find(prefix, rest_at)) >= 0 and (end := text.find("}", start)) >= 0:
        if start > 0 and text[start - 1] == "$":
            made.append(text[rest_at : start - 1] + text[start : end + 1])
        else:
            name, colon, default = text[start + len(prefix) : end].partition(":-")
            made.append(text[rest_at:start])
            if name in within:
                raise Failed(f"Infinite loop in property interpolation of {name}")
            if name in values:
                made.append(substitute(str(values[name]), values, prefix, (*within, name)))
            else:
                made.append(default if colon else text[start : end + 1])
        rest_at = end + 1
    return "".join([*made, text[rest_at:]])


def is_json(text: str) -> bool:
    """Tell what ``StringUtils.isJson`` tells: an object or an array."""
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def read_path(search: Values, path: str) -> Any:
    """Return what a JSON path of a few names leads to; None where it leads nowhere."""
    found: Any = search
    for name in [] if path == "$" else path.removeprefix("$.").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


@dataclass(frozen=True)
class Connector:
    """A connector as it was created, with its credential."""

    body: Values

    @property
    def action(self) -> Values:
        """The only action."""
        (action,) = self.body["actions"]
        found: Values = action
        return found

    def predict(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer of the service, as ``dataAsMap``.

        Raises
        ------
        Failed
            There is none, or the payload is none.
        """
        escaped = {
            name: text if is_json(text) else json.dumps(text)[1:-1]
            for name, text in parameters.items()
        }
        payload = substitute(self.action["request_body"], escaped, "${parameters.")
        if not is_json(payload):
            raise Failed(f"Invalid payload: {payload}")
        if "${parameters" in payload:
            raise Failed("Some parameter placeholder not filled in payload")
        credential = self.body["credential"]
        headers = {
            name: substitute(value, credential, "${credential.")
            for name, value in self.action["headers"].items()
        }
        times = self.body["client_config"]
        timeout = httpx.Timeout(times["read_timeout"], connect=times["connection_timeout"])
        try:
            answer = httpx.post(
                self.action["url"], content=payload.encode(), headers=headers, timeout=timeout
            )
        except httpx.HTTPError as exc:
            raise Failed(f"Error communicating with remote model: {exc}", 500) from exc
        if not 200 <= answer.status_code < 300:
            raise Failed(f"Error from remote service: {answer.text}", answer.status_code)
        found: dict[str, Any] = answer.json()
        return found


@dataclass(frozen=True)
class Processor:
    """The request processor ``ml_inference`` of one version."""

    config: Values
    version: str

    def check(self) -> None:
        """Raise ValueError for a configuration that the version refuses."""
        known = KNOWN if self.version == OLD else KNOWN | {"optional_input_map"}
        needed = ("model_id", "input_map", "output_map") if self.version == OLD else ("model_id",)
        if unknown := self.config.keys() - known:
            raise ValueError(f"doesn't support one or more provided parameters {sorted(unknown)}")
        if lacking := [name for name in needed if name not in self.config]:
            raise ValueError(f"[{lacking[0]}] required property is missing")

    def rewrite(self, search: Values, connector: Connector) -> Values:
        """Return the search that is carried out instead.

        Raises
        ------
        Failed
            Something went wrong, and failures are not ignored.
        """
        try:
            return self._rewritten(search, connector)
        except Failed:
            if not self.config["ignore_failure"]:
                raise
            return search

    def _rewritten(self, search: Values, connector: Connector) -> Values:
        (inputs,), (outputs,) = self.config["input_map"], self.config["output_map"]
        # source().toString(): what OpenSearch has read, written as JSON again
        read = {name: read_path(search, path) for name, path in inputs.items()}
        if absent := [inputs[name] for name, value in read.items() if value is None]:
            raise Failed(f"cannot find field: {absent[0]} in query string")
        parameters = {name: self._to_json(value) for name, value in read.items()}
        answer = connector.predict(parameters)
        values = {name: self._as_value(answer.get(path)) for name, path in outputs.items()}
        rewritten = substitute(self.config["query_template"], values)
        if not is_json(rewritten):
            raise Failed(f"no search: {rewritten:.80}")
        found: Values = json.loads(rewritten)
        return found

    def _to_json(self, value: Any) -> str:
        """``StringUtils.toJson``: Gson on 2.19 escapes what HTML could take for its own."""
        if isinstance(value, str):
            return value
        text = json.dumps(value, ensure_ascii=False)
        if self.version != OLD:
            return text
        return re.sub("[<>&='\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)

    def _as_value(self, value: Any) -> Any:
        """An object goes into the template as JSON; on 2.19, as Java prints a map."""
        if value is None:
            raise Failed("model inference output cannot find field name")
        if not isinstance(value, dict):
            return value
        if self.version != OLD:
            return json.dumps(value)
        return "{" + ", ".join(f"{name}={one}" for name, one in value.items()) + "}"
