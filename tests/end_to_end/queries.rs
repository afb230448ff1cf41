//! Queries: Redshift as the signed-in person, and as nobody else.

mod identity;
mod operator;
mod ownership;
mod pages;
mod privileges;
mod requests;
mod rows;
mod world;
