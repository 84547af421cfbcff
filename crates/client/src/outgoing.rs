//! The one way out to addresses that people configure.
