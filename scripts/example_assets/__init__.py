"""Drawing and speaking the demo tutorial's assets."""
