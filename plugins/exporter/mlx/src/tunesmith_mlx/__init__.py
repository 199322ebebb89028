"""Models as MLX reads them, on Macs with Apple silicon."""
