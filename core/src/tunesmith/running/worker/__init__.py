"""The processes of a step, from the host's side: started, heard, ended."""
