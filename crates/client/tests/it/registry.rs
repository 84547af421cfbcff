//! The registry client, against a registry of ours and against registries that behave badly.

mod ours;
mod pushing;
mod reading;
mod signing_in;
mod trusting;

use std::sync::Mutex;
use std::time::Duration;

use wharf_client::Secret;
use wharf_client::registry::{Address, Credential, Endpoint, Error, Patience, Registry, Repository};
use wharf_oci::{Descriptor, Reference, RepoName};
use wharf_testkit::image::Content as Bytes;

/// A registry at that address, waited for as long as a test can.
fn endpoint(address: &str) -> Endpoint {
    let patience = Patience {
        idle: Duration::from_secs(2),
        tries: 3,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(1500),
    };
    Endpoint { patience, ..Endpoint::new(Address::parse(address, false).unwrap()) }
}

fn by_password(user: &str, password: &str) -> Credential {
    Credential::Password { user: user.into(), password: Secret::new(password) }
}

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn descriptor(content: &Bytes) -> Descriptor {
    Descriptor::new(content.media_type.as_str(), content.digest.clone(), content.bytes.len() as u64)
}

/// A blob, read to its end.
async fn read(repository: &Repository, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
    let mut blob = repository.blob(descriptor).await?;
    let mut all = vec![];
    while let Some(part) = blob.next().await? {
        all.extend_from_slice(&part);
    }
    Ok(all)
}

/// What a push told of its progress.
#[derive(Default)]
struct Told(Mutex<Vec<u64>>);

impl Told {
    fn note(&self, at: u64) {
        self.0.lock().unwrap().push(at);
    }

    fn last(&self) -> u64 {
        self.0.lock().unwrap().last().copied().unwrap_or(0)
    }
}
