"""What tests of plugins are made of: datasets, plans, a served model, commands, what a run tells."""
