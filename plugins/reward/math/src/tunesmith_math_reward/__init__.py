"""The reward `math`: whether a completion's answer equals the row's, by math-verify."""
