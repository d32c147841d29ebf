"""What runs cost on AWS: what they really called, at the prices of a dated file."""
