"""The int8 twin of a model: weights in eight bits, and what is multiplied with them as well.

Dynamic: each batch is measured as it comes. Static: texts of the catalogue are measured once. In
blocks: every few numbers have a range of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from seealso.encoder.reader import Reader, Tokens, token_batches
from seealso.errors import MissingExtraError
from seealso.training.quiet import quiet

CALIBRATION_TEXTS: Final = 256
"""Most texts that a static twin is measured on."""

_TOKENS_AT_ONCE: Final = 1024
_BLOCK: Final = 32
_INT8_PRODUCTS: Final = 4
"""What onnxruntime calls a product of int8 numbers: `accuracy_level` of MatMulNBits."""
# token vectors stay as they are: a looked-up row costs no arithmetic
_OPERATORS: Final = ("MatMul", "Gemm")
_WEIGHTS: Final[Mapping[str, Any]] = {
    "op_types_to_quantize": list(_OPERATORS),
    "per_channel": True,
    # seven bits: AVX2 adds two products in 16 bits, and eight would overflow
    "reduce_range": True,
}
"""How the dynamic and the static twin hold their weights."""


def quantise(model: Path, file: Path) -> None:
    """Write the dynamic twin of the fp32 `model` to `file`.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    graph = _prepared(model)
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet():
        quantize_dynamic(
            graph,
            file,
            **_WEIGHTS,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )


def quantise_static(model: Path, file: Path, reader: Reader, texts: Sequence[str]) -> None:
    """Write the static twin of the fp32 `model` to `file`.

    Parameters
    ----------
    model, file
        What is read and what is written.
    reader
        Reads texts as the model does.
    texts
        Texts as they will be read, prefix included; `CALIBRATION_TEXTS` of them, evenly spaced,
        are measured.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    graph = _prepared(model)
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization import quantize_static as write

    with quiet():
        write(
            graph,
            file,
            _feed(reader, sampled(texts)),
            **_WEIGHTS,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                "MatMulConstBOnly": True,
                # a product is rounded again before the bias is added: it costs five times the error
                "OpTypesToExcludeOutputQuantization": list(_OPERATORS),
            },
        )


def quantise_blocks(model: Path, file: Path) -> None:
    """Write the twin of the fp32 `model` whose blocks of `_BLOCK` numbers have their own ranges.

    It loses a twentieth of what the dynamic twin loses, and gains less speed: it is for a model
    with a head, which enlarges what is lost.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    graph = _prepared(model)
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with quiet():
        made = MatMulNBitsQuantizer(
            graph,
            bits=8,
            block_size=_BLOCK,
            is_symmetric=True,
            accuracy_level=_INT8_PRODUCTS,
        )
        made.process()
    onnx.save(made.model.model, file)


def sampled(texts: Sequence[str]) -> list[str]:
    """Return at most `CALIBRATION_TEXTS` of `texts`, evenly spaced."""
    count = min(len(texts), CALIBRATION_TEXTS)
    return [texts[int(place)] for place in np.linspace(0, len(texts) - 1, count)]


def _prepared(model: Path) -> Any:
    try:
        import onnx
    except ImportError as exc:
        raise MissingExtraError.of("onnx", "export") from exc
    graph = onnx.load(model)
    # onnxruntime recommends a preparation that torch's exporter has done already; this says so
    graph.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    return graph


def _feed(reader: Reader, texts: Sequence[str]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    tokens = [ids for ids in reader.tokenise(texts) if ids]

    def batches() -> Iterator[Mapping[str, Tokens]]:
        for batch in token_batches([len(ids) for ids in tokens], _TOKENS_AT_ONCE):
            ids, mask = reader.pad([tokens[place] for place in batch])
            yield {"input_ids": ids, "attention_mask": mask}

    class Feed(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = batches()

        def get_next(self) -> Any:
            return next(self.batches, None)

    return Feed()
