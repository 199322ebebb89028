"""The engine's own decoder for the dense families: transformers' computation, names and files without transformers.

Llama, Mistral, Qwen2, Qwen3, SmolLM3, Gemma 1 to 3 and Phi-3 differ in a handful of settings (`spec`). What is frozen is joined into large
matrix products, what trains beside it is a low-rank update, and the backward pass is written out, so that little is kept and little is
computed twice (`functions`). It is used where it computes the same; everything else runs as transformers' model.
"""
