"""Infused adapter by inhibiting and amplifying inner activations, by PEFT."""
