"""PEFT's tuners as adapters: the maths and the files are PEFT's."""
