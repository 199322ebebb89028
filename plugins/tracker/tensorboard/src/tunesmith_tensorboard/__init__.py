"""Event files of TensorBoard for what steps measure."""
