//! One file for each noun: its verbs, what they say to the server, how its things are shown.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod authorizations;
pub(crate) mod contexts;
pub(crate) mod images;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod orgs;
pub(crate) mod providers;
pub(crate) mod quotas;
pub(crate) mod repos;
pub(crate) mod robots;
pub(crate) mod sessions;
pub(crate) mod tags;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod trust;
pub(crate) mod users;
