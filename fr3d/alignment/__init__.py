"""Where the face is: landmarks from the capture or a detector, templates, the aligned maps."""
