"""Scheduler plugins, one file each under upstream's name: every module exports `PLUGIN`."""
