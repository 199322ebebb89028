"""What a training tells while it runs, and leaves behind: progress, warnings, samples, answers."""
