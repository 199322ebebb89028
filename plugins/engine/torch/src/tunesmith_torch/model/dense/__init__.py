"""The engine's own decoder for the dense families: transformers' computation, names and files without transformers.

Llama, Mistral, Qwen2, Qwen3, SmolLM3, Gemma 1 to 3 and Phi-3 differ in a handful of settings (`config`). Matrices that read the same input
are joined into one product, whether they train, are frozen or kept in fewer bits, with low-rank updates beside them, and the backward pass
is written out, so that little is kept and little is computed twice (`fused_linear`). Other layers of an adapter are called as they
are. It is used where it computes the same; everything else runs as transformers' model.
"""
