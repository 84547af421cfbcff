//! The operator's side: configuration, telemetry, wiring, and the commands that run and look after a registry.

mod audit;
mod clock;
mod command;
pub mod config;
mod control;
mod descriptors;
mod folder;
mod listen;
mod serve;
pub mod systemd;
mod telemetry;
pub mod tls;
mod welcome;

pub use command::Command;
