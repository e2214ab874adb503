//! Sums are as accurate as NumPy's pairwise ones, however the loop runs.
