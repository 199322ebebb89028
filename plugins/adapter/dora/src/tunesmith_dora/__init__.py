"""Weight-decomposed low-rank adaptation, by PEFT."""
