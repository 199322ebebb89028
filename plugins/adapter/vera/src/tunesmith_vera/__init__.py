"""Vector-based random matrix adaptation, by PEFT."""
