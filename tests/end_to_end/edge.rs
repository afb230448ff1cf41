//! The edge: what a caller gets who is not who they should be, asks for what is not theirs, or sends
//! what cannot be read. Each refusal is clear, and none changes anything.

mod contract;
mod cors;
mod cursors;
mod fuzz;
mod interleaving;
mod isolation;
mod requests;
mod roles;
mod routes;
mod sign_in;
mod tokens;
pub(crate) mod wire;
pub(crate) mod world;
