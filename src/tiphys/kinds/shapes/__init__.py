"""Parts that several kinds share: pod specs, selectors, printed cells. Nothing here is a kind."""
