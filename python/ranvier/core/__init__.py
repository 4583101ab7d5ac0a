"""What everything else stands on: dtypes, names, tensors, variables, traces."""
