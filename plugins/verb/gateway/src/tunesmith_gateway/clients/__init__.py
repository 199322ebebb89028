"""Who asks: API keys, and how much each may ask."""
