//! People at a browser: how they sign in, by password or by a provider, what keeps them signed in there, and devices
//! that they let sign in as them.

mod device;
mod name;
mod provider;
mod session;

pub(crate) use session::{BROWSER, client_name};

pub use device::{DeviceStarted, WaitingDevice};
pub use provider::{Callback, ProviderChoice, SignedIn};
