//! The derive macro for autojit's `Tree` trait.
