"""What a file's texts are about and in which language they are, by counting: no model, nothing but the standard library."""
