"""What one may want, a module each: questions, and the pipeline that comes of them."""
