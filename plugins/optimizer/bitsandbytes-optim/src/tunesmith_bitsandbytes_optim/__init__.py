"""AdamW and Lion with 8-bit state, by bitsandbytes."""
