//! placeholder

pub mod contract;
pub mod disk;
pub mod failing;
