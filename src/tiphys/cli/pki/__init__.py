"""The commands below `tiphys pki`, one file each: every module exports `COMMAND`."""
