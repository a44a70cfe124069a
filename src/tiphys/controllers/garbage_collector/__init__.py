"""The garbage collector: deletes what its owners left behind (`pkg/controller/garbagecollector`).

`graph.py` knows who owns whom, from informers of everything that can be deleted (`monitors.py`); `controller.py`
acts on it: background, foreground and orphaning deletion; `owner.py` asks the API about owners the graph
does not know.
"""
