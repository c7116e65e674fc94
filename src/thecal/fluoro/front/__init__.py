"""Where the cement's front stands on a picture, and how loud to say it."""
