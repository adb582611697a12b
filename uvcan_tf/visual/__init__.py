"""Visual features from video files: section 3.2 of the paper."""
