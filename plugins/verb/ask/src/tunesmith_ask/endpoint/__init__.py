"""The other road: a language model behind an OpenAI endpoint, bound by a JSON schema that is made of the manifests."""
