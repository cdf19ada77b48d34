"""Pictures that show a colour, and a tiny ONNX encoder whose vectors are known: averages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

SIDE = 16
PATCHES = 4
WIDTH = 3 * PATCHES * PATCHES
"""The encoder gives the mean of each colour in each of 4 x 4 patches."""


def write_encoder(folder: Path, **described: Any) -> Path:
    """Write image.onnx (average pooling) and image.json."""
    folder.mkdir(parents=True, exist_ok=True)
    step = SIDE // PATCHES
    nodes = [
        helper.make_node(
            "AveragePool", ["pixels"], ["pooled"], kernel_shape=[step, step], strides=[step, step]
        ),
        helper.make_node("Flatten", ["pooled"], ["vectors"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "averages",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", WIDTH])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    (folder / "image.onnx").write_bytes(model.SerializeToString())
    told = {"size": SIDE, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]} | described
    (folder / "image.json").write_text(json.dumps(told))
    return folder


def write_picture(file: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Write a picture of one colour with some noise, width before height."""
    rng = np.random.default_rng(sum(map(ord, file.stem)))
    noise = rng.integers(-25, 26, size=(size[1], size[0], 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
