"""OpenVINO on each of its devices, reading the same ONNX file as ONNX Runtime."""
