//! Robots without secrets: tokens that CI systems and clusters give to their jobs stand for a robot, where a trust
//! rule of its org says so.

mod exchange;
mod matching;

pub(crate) use exchange::is_outside_token;
pub(crate) use matching::{Meant, claim, objection};
