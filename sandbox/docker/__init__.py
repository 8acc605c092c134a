"""Candidates in a container of a Docker engine on this machine, one warm container per slot."""
