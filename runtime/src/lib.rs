//! What code compiled by autojit calls.
