"""Full fine-tuning: every weight of the model trains, and the artifact is a whole model."""
