//! NumPy's results, literally.
