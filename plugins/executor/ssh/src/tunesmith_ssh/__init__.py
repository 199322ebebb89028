"""The executor `ssh`: steps on hosts that are reached over OpenSSH."""
