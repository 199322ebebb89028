"""Pictures in conversations, for models that see: from a request's parts to what the model's language part reads in their places."""
