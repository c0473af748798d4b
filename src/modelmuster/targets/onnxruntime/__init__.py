"""ONNX Runtime on each of its execution providers."""
