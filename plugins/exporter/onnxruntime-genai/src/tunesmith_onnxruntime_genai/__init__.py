"""Models as ONNX, with what ONNX Runtime needs to generate."""
