"""A folder to upload to the Hugging Face hub: a model's or an adapter's files, and a card that says where it came from."""
