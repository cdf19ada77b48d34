"""What an ONNX graph needs, read without the onnx package and before onnxruntime opens it.

protobuf itself parses, as onnxruntime does, so that both see the same graph. Only the fields that
matter are declared; it keeps all others as they are.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

OWN_DOMAINS: Final = frozenset({b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"})
"""Operators of these domains are part of onnxruntime."""

# numbers of the fields in onnx.proto of ONNX 1.x (github.com/onnx/onnx); they never change
_SCHEMA: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    "Model": {"graph": (7, "Graph"), "training": (20, "Training"), "functions": (25, "Function")},
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Function": {"node": (7, "Node"), "attribute_proto": (11, "Attribute")},
    "Graph": {"node": (1, "Node"), "initializer": (5, "Tensor"), "sparse": (15, "Sparse")},
    "Node": {"op_type": (4, "text"), "attribute": (5, "Attribute"), "domain": (7, "text")},
    "Attribute": {
        "t": (5, "Tensor"), "g": (6, "Graph"), "tensors": (10, "Tensor"), "graphs": (11, "Graph"),
        "sparse": (22, "Sparse"), "sparses": (23, "Sparse"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Tensor": {"external_data": (13, "Entry"), "data_location": (14, "number")},
    "Entry": {},
}  # fmt: skip


def complaint(model: bytes) -> str | None:
    """Return why a serialised model is not complete in itself; empty if it is.

    Parameters
    ----------
    model
        Bytes of a ``ModelProto``.

    Returns
    -------
    str or None
        A clause to put behind the name of the file: it is not ONNX, keeps tensors in other
        files, or uses operators that onnxruntime does not bring.
    """
    graph = _model_class()()
    try:
        graph.ParseFromString(model)
    except message.DecodeError:
        return "is not an ONNX model"
    if not graph.graph:
        return "is not an ONNX model"
    for part in _parts(graph):
        kind = part.DESCRIPTOR.name
        if kind == "Tensor" and (part.external_data or any(part.data_location)):
            return "keeps tensors in another file (external data)"
        if kind == "Node" and (foreign := set(part.domain) - OWN_DOMAINS):
            names = (foreign.pop(), *part.op_type)
            operators = " ".join(repr(name.decode("utf-8", "replace")) for name in names)
            return f"uses a custom operator, {operators}"
    return None


def _parts(whole: Any) -> Iterator[Any]:
    """Yield `whole` and every message in it."""
    waiting = [whole]
    while waiting:
        part = waiting.pop()
        yield part
        for field, value in part.ListFields():
            if field.message_type is not None:
                waiting.extend(value)


@cache
def _model_class() -> Any:
    kinds = descriptor_pb2.FieldDescriptorProto
    types = {"text": kinds.TYPE_BYTES, "number": kinds.TYPE_INT32}
    file = descriptor_pb2.FileDescriptorProto(
        name="seealso/graphs.proto", package="seealso.graphs", syntax="proto2"
    )
    for name, fields in _SCHEMA.items():
        kind = file.message_type.add(name=name)
        for field, (number, type_) in fields.items():
            # all are declared repeated: where one writes a field twice, no value is overlooked
            declared = kind.field.add(name=field, number=number, label=kinds.LABEL_REPEATED)
            declared.type = types.get(type_, kinds.TYPE_MESSAGE)
            if declared.type == kinds.TYPE_MESSAGE:
                declared.type_name = f".seealso.graphs.{type_}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("seealso.graphs.Model"))
