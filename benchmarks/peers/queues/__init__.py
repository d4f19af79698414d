"""What runs in each queue's own environment; nothing here but ``ours_*`` may import the product."""
