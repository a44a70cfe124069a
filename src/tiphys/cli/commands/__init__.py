"""The commands, one file each: every module exports `COMMAND`."""
