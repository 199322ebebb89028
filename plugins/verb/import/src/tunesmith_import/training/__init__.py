"""What several tools call by the names of transformers' TrainingArguments, in the terms of a step `train`."""
