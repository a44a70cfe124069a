"""Simulated nodes: what a kubelet would tell the API, with no containers behind it.

A simulated node registers, renews its lease, and moves its pods through stages. Stages are data
(`stages/*.yaml`), so what a pod does can be read, and changed, without reading code.
"""
