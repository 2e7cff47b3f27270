"""Programs that others wrote, on Node, check our connectors and sandboxes: a vendor's SDK, and Prism with the official documents."""
