"""What training does when memory is out, gradients diverge or a process is lost."""
