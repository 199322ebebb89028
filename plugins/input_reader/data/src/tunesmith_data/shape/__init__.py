"""What is made of a file's rows before a format reads them: which are kept, what their columns are called, what is put together."""
