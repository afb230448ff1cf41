//! Queries: Redshift as the signed-in person, and as nobody else.

mod exchange;
mod identity;
mod ownership;
mod pages;
mod privileges;
mod requests;
mod rows;
mod world;
