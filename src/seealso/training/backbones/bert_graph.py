"""The ONNX graph of a BERT-like model, written directly.

It has the operators that torch's exporter writes for a layer, because onnxruntime knows how to join
these; that both graphs give the same vectors is tested.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from seealso.training.backbones.bert import StoredBert

Attribute: TypeAlias = int | float | Sequence[int]
"""What tells an operator how to work."""
OPSET: Final = 20
"""The first with GELU as one operator, which onnxruntime joins with the bias before it."""


def write_bert(model: StoredBert, file: Path) -> None:
    """Write the fp32 graph of `model` to `file`: ids and mask in, unit vectors out."""
    file.write_bytes(_Graph(model).build().SerializeToString(deterministic=True))


class _Graph:
    """Adds operators one after the other; each method returns the name of its result."""

    def __init__(self, model: StoredBert) -> None:
        self._model = model
        self._nodes: list[Any] = []
        self._arrays: dict[str, Any] = {}

    def build(self) -> Any:
        from onnx import TensorProto, helper

        hidden = self._layers(self._embed())
        self._unit(self._pool(hidden), "embedding")
        free = ["batch", "length"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, free)
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info(
            "embedding", TensorProto.FLOAT, ["batch", self._model.dimension]
        )
        graph = helper.make_graph(
            self._nodes, "bert", inputs, [output], list(self._arrays.values())
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def _embed(self) -> str:
        """Return words + positions + the first token type, normalised."""
        weights, first = self._model.weights, self._model.first_position
        positions = weights["embeddings.position_embeddings.weight"][first:]
        # every text is of the first type: its vector is a part of the position
        whole = positions + weights["embeddings.token_type_embeddings.weight"][0]
        words = self._add("Gather", self._weight("embeddings.word_embeddings"), "input_ids")
        length = self._add("Shape", "input_ids", start=1, end=2)
        place = self._add("Slice", self._array("positions", whole), self._ints(0), length)
        return self._normalised(self._add("Add", words, place), "embeddings.LayerNorm")

    def _layers(self, hidden: str) -> str:
        config = self._model.config
        heads = int(config["num_attention_heads"])
        width = self._model.dimension // heads
        batch = self._add("Shape", "input_ids", start=0, end=1)
        length = self._add("Shape", "input_ids", start=1, end=2)
        split = self._add("Concat", batch, length, self._ints(heads), self._ints(width), axis=0)
        joined = self._add("Concat", batch, length, self._ints(heads * width), axis=0)
        masked = self._add("Equal", "attention_mask", self._ints(0))
        masked = self._add("Unsqueeze", masked, self._ints(1, 2))
        lowest = self._array("lowest", np.array(np.finfo(np.float32).min, dtype=np.float32))
        nothing = self._array("nothing", np.array(0.0, dtype=np.float32))
        hiding = self._add("Where", masked, lowest, nothing)
        scale = self._array("scale", np.array(width**-0.5, dtype=np.float32))
        for number in range(int(config["num_hidden_layers"])):
            layer = f"encoder.layer.{number}"
            query, key, value = (
                self._linear(hidden, f"{layer}.attention.self.{one}")
                for one in ("query", "key", "value")
            )
            query = self._add("Transpose", self._add("Reshape", query, split), perm=[0, 2, 1, 3])
            key = self._add("Transpose", self._add("Reshape", key, split), perm=[0, 2, 3, 1])
            value = self._add("Transpose", self._add("Reshape", value, split), perm=[0, 2, 1, 3])
            alike = self._add("Mul", self._add("MatMul", query, key), scale)
            weights = self._add("Softmax", self._add("Add", alike, hiding), axis=-1)
            mixed = self._add("Transpose", self._add("MatMul", weights, value), perm=[0, 2, 1, 3])
            mixed = self._add("Reshape", mixed, joined)
            hidden = self._block(mixed, hidden, f"{layer}.attention.output")
            inner = self._add("Gelu", self._linear(hidden, f"{layer}.intermediate.dense"))
            hidden = self._block(inner, hidden, f"{layer}.output")
        return hidden

    def _block(self, values: str, before: str, name: str) -> str:
        """Return the values under a linear map, beside what was there before, normalised."""
        whole = self._add("Add", self._linear(values, f"{name}.dense"), before)
        return self._normalised(whole, f"{name}.LayerNorm")

    def _pool(self, hidden: str) -> str:
        if self._model.pooling == "cls":
            return self._add("Gather", hidden, self._array("first", np.array(0)), axis=1)
        if self._model.pooling == "last":
            count = self._add("ReduceSum", "attention_mask", self._ints(1), keepdims=0)
            last = self._add("Unsqueeze", self._add("Sub", count, self._ints(1)), self._ints(1))
            return self._add("GatherND", hidden, last, batch_dims=1)
        mask = self._add("Unsqueeze", "attention_mask", self._ints(2))
        mask = self._add("Cast", mask, to=1)
        total = self._add("ReduceSum", self._add("Mul", hidden, mask), self._ints(1), keepdims=0)
        count = self._add("ReduceSum", mask, self._ints(1), keepdims=0)
        return self._add("Div", total, self._add("Max", count, self._tiny()))

    def _unit(self, vectors: str, name: str) -> str:
        length = self._add("ReduceL2", vectors, self._ints(-1), keepdims=1)
        return self._add("Div", vectors, self._add("Max", length, self._tiny()), output=name)

    def _linear(self, values: str, name: str) -> str:
        product = self._add("MatMul", values, self._weight(name, transposed=True))
        return self._add("Add", product, self._weight(name, "bias"))

    def _normalised(self, values: str, name: str) -> str:
        epsilon = float(self._model.config.get("layer_norm_eps", 1e-12))
        arrays = self._weight(name), self._weight(name, "bias")
        return self._add("LayerNormalization", values, *arrays, axis=-1, epsilon=epsilon)

    def _weight(self, name: str, part: str = "weight", *, transposed: bool = False) -> str:
        whole = f"{name}.{part}"
        values = self._model.weights[whole]
        return self._array(whole, np.ascontiguousarray(values.T) if transposed else values)

    def _tiny(self) -> str:
        return self._array("tiny", np.array(1e-12, dtype=np.float32))

    def _ints(self, *values: int) -> str:
        return self._array("ints " + " ".join(map(str, values)), np.array(values, dtype=np.int64))

    def _array(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        if name not in self._arrays:
            self._arrays[name] = numpy_helper.from_array(np.asarray(values), name)
        return name

    def _add(self, operator: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        from onnx import helper

        output = output or f"{operator.lower()} {len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output
