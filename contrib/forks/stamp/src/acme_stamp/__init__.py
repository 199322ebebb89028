"""Models with Acme's stamp."""
