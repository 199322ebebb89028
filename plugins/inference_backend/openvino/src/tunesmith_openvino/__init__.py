"""Serves models on processors by OpenVINO. The library is imported by the server's processes alone (`tunesmith_openvino.server`)."""
