//! Queries: Redshift as the signed-in person, and as nobody else.

mod browse;
mod csv;
mod exchange;
mod identity;
mod list;
mod operator;
mod ownership;
mod pages;
mod privileges;
mod registered;
mod requests;
mod rows;
mod sessions;
mod world;
