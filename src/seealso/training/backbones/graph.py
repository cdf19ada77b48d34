"""From a torch model to ONNX: pooling and unit length inside the graph.

The same model gives the same bytes, and they do not depend on the machine.
"""

from pathlib import Path
from typing import Any, Final

from seealso.errors import BundleError, MissingExtraError
from seealso.training.backbones.sources import Backbone, Head
from seealso.training.quiet import quiet

# 20 is the first with GELU as one operator, which onnxruntime joins with the bias before it
_OPSET: Final = 20
_OUTPUT: Final = "embedding"


def pooled(backbone: Backbone) -> Any:
    """Return a ``torch.nn.Module`` (ids, mask) -> unit vectors of shape (batch, d)."""
    import torch

    def mean(hidden: Any, mask: Any) -> Any:
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)

    def cls(hidden: Any, _mask: Any) -> Any:
        return hidden[:, 0]

    def last(hidden: Any, mask: Any) -> Any:
        place = (mask.sum(dim=1) - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, hidden.shape[-1])
        return hidden.gather(1, place).squeeze(1)

    pool = {"mean": mean, "cls": cls, "last": last}[backbone.pooling]

    class Pooled(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, model: Any, head: Head | None) -> None:
            super().__init__()
            self.model = model
            self.head = None if head is None else _linear(head)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.model(
                input_ids=input_ids, attention_mask=attention_mask
            ).last_hidden_state
            vectors = torch.nn.functional.normalize(pool(hidden, attention_mask), dim=-1)
            if self.head is not None:
                vectors = torch.nn.functional.normalize(self.head(vectors), dim=-1)
            return vectors

    return Pooled(backbone.model, backbone.head).eval()


def _linear(head: Head) -> Any:
    import torch

    linear = torch.nn.Linear(head.weight.shape[1], head.weight.shape[0])
    linear.weight.data = torch.from_numpy(head.weight.copy())
    linear.bias.data = torch.from_numpy(head.bias.copy())
    return linear


def write_graph(backbone: Backbone, file: Path) -> None:
    """Write the fp32 model to `file`.

    Raises
    ------
    MissingExtraError
        onnxscript is not installed.
    BundleError
        The model cannot be expressed in ONNX.
    """
    file.write_bytes(_exported(backbone).SerializeToString(deterministic=True))


def _exported(backbone: Backbone) -> Any:
    try:
        import onnxscript  # noqa: F401 (torch.onnx needs it)
    except ImportError as exc:
        raise MissingExtraError.of("onnxscript", "train") from exc
    import torch

    # two texts of different length: a length of 1 would be taken for a constant
    ids = torch.ones(2, 7, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    backbone.model.config.use_cache = False
    try:
        with quiet(), torch.inference_mode():
            program = torch.onnx.export(
                pooled(backbone),
                (ids, mask),
                input_names=["input_ids", "attention_mask"],
                output_names=["pooled"],
                dynamic_shapes=(free, free),
                opset_version=_OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
            graph = program.model_proto
    except Exception as exc:  # the exporter raises whatever its parts raise
        raise BundleError(
            f"{backbone.source}: torch cannot export it to ONNX: {str(exc).splitlines()[0]}",
            hint="use a BERT-like or GPT-2-like model",
            source=backbone.source,
        ) from exc
    _rename_output(graph)
    _strip(graph)
    return graph


def _rename_output(graph: Any) -> None:
    # the exporter calls the looked-up token vectors "embedding": that name is for the output
    (output,) = graph.graph.output
    names = {_OUTPUT: f"{_OUTPUT}_of_tokens", output.name: _OUTPUT}
    for node in graph.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*graph.graph.value_info, *graph.graph.initializer, output):
        value.name = names.get(value.name, value.name)


def _strip(graph: Any) -> None:
    # the exporter notes source lines with full paths: they differ from machine to machine
    for noted in (graph, graph.graph, *graph.graph.node, *graph.graph.value_info):
        del noted.metadata_props[:]
        noted.doc_string = ""
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    for function in graph.functions:
        for noted in (function, *function.node):
            del noted.metadata_props[:]
            noted.doc_string = ""
