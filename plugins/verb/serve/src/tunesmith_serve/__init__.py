"""The verb `serve`: a model behind the OpenAI API for as long as its step runs, and engines that are programs of their own kept up."""
