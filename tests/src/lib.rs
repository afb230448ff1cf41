//! The end-to-end scenarios live in `end_to_end/`.
