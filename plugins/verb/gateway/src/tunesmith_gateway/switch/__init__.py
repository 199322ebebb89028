"""A new version of a served model, brought up under load, with a way back."""
