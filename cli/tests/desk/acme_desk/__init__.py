"""A made-up plugin with one provider of each kind that the command line deals with. Its models are short texts."""
