"""What a batch comes to: its loss over micro-batches and ranks, the gradients, their scale in float16, and whether it is the right one."""
