"""Nothing is served before its model is approved."""
