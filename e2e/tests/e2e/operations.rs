//! What an operator does with a server, and what a server does to an operator.

mod certificates;
mod config;
mod database;
mod listeners;
mod passwords;
mod stopping;
