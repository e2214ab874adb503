//! autojit.
