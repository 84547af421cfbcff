//! The registry's pure grammar: what is legal on the wire, and how it is written.
//!
//! Nothing here does I/O, reads a clock or knows a database. Every type is valid once it exists:
//! a [`Digest`], a [`RepoName`] or a [`Tag`] that could be built needs no second check anywhere.

mod challenge;
mod digest;
mod error_code;
mod etag;
mod hasher;
pub mod hub;
mod image_config;
mod image_name;
mod manifest;
mod media_type;
mod name;
mod page;
mod platform;
mod query;
mod range;
mod rate_limit;
mod reference;
mod referrers;
mod route;
mod scope;

pub use challenge::Challenge;
pub use digest::{Algorithm, Digest, DigestError};
pub use error_code::ErrorCode;
pub use etag::if_none_match;
pub use hasher::{Hasher, HasherStateError};
pub use image_config::{HistoryEntry, ImageConfig, ImageConfigError, RunConfig};
pub use image_name::{ImageName, ImageNameError};
pub use manifest::{Descriptor, Kind, Manifest, ManifestError};
pub use media_type::{MediaType, MediaTypeError};
pub use name::{NameError, RepoName};
pub use page::{PageSizeError, parse_n};
pub use platform::{Platform, PlatformError};
pub use query::Query;
pub use range::{ContentRange, ContentRangeError, KEEPS_CUT_CHUNKS, RangeOutcome, parse_content_range, parse_range};
pub use rate_limit::{RateLimit, RateLimitHeaders, retry_after};
pub use reference::{Reference, ReferenceError, Tag, TagError};
pub use referrers::{ReferrerDescriptor, referrers_index, tag_list};
pub use route::{Route, RouteError};
pub use scope::{Actions, Resource, Scope};
