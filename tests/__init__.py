"""A package of its own: an installed one of the same name (a vendor's SDK brings one) must not be taken for it."""
