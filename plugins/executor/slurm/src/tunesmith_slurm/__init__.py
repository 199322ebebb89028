"""The executor `slurm`: steps as batch jobs."""
