"""From a payload to a storyboard: when and where everything is shown."""
