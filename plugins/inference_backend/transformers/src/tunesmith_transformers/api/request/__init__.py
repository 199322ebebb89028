"""What clients ask: bodies within bounds, their fields, prompts and inputs made of them."""
