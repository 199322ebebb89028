"""The server as a program: llama.cpp's own behind a thin proxy that adds `echo`. Start it by `python -m tunesmith_llamacpp.server`."""
