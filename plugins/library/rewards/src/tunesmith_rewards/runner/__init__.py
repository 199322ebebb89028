"""How rewards run beside a training: a process for each, asked in batches, ended where it hangs."""
