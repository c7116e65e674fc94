"""Where the C-arm stands: the pose of one vertebra in a picture, found from the CT of the plan."""
