"""How large a study should be, adopting that before it opens, and the looks that were planned."""
