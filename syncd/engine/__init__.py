"""The imperative shell, in straight lines: read, reconcile, provision; `cycle` is the whole product on one page."""
