"""A checkpoint's weights in shards of another size, and of another dtype."""
