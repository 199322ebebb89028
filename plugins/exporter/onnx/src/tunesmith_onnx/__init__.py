"""Models as ONNX, with keys and values as inputs and outputs."""
