"""From a model to a bundle: the ONNX graph, its int8 twin, and proof that both match."""
