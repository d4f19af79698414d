"""``preview studio``: a page on this machine that shows a payload's film while it is edited."""
