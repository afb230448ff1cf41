//! Queries: Redshift as the signed-in person, and as nobody else.

mod browse;
mod csv;
mod exchange;
mod identity;
mod ownership;
mod pages;
mod privileges;
mod requests;
mod rows;
mod sessions;
mod world;
