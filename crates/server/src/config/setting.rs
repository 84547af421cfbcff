//! The table of settings: one entry makes the field, and everything that is ever said about it.

use super::value::Raw;
use super::{Config, Sources};

/// A `[section]` of the file.
#[derive(Debug)]
pub struct Section {
    /// Its name in the file; empty for the settings at the top.
    pub name: &'static str,
    /// What it is about, as written above its struct.
    pub about: &'static str,
    /// Its settings, in the order of the reference.
    pub settings: &'static [Setting],
}

/// One setting: its names, what it means, and how it gets into and out of [`Config`].
#[derive(Debug)]
pub struct Setting {
    /// Its name in files and `--set`: `listen`, `tls.certificate`.
    pub key: &'static str,
    /// One to three sentences of Markdown.
    pub doc: &'static str,
    /// What a value looks like, in a few words.
    pub kind: fn() -> String,
    /// The flag of `wharf serve` that sets it, if it has one of its own.
    pub flag: Option<&'static str>,
    /// Its value is never printed.
    pub secret: bool,
    /// In TOML it must stand in quotes.
    pub(super) quoted: bool,
    /// For a default that depends on who runs the server.
    pub(super) computed: Option<Computed>,
    pub(super) set: fn(&mut Config, &Raw) -> Result<(), String>,
    pub(super) show: fn(&Config) -> Option<Raw>,
}

/// A default that depends on who runs the server: how it is found, and how the reference puts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Computed {
    pub(super) find: fn(&Sources) -> Result<String, String>,
    pub(super) words: &'static str,
}

impl Setting {
    /// Its name in the environment: `WHARF_TLS_CERTIFICATE`.
    pub fn env(&self) -> String {
        format!("WHARF_{}", self.key.to_ascii_uppercase().replace('.', "_"))
    }

    pub(super) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    pub(super) const fn computed(mut self, find: fn(&Sources) -> Result<String, String>, words: &'static str) -> Self {
        self.computed = Some(Computed { find, words });
        self
    }
}

/// Declares a section's struct and its settings. An entry is
/// `/// what it means` and `field: Type = default => flag("--name");`, the last part where it has a flag.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident in $at:tt {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr $(=> $method:ident($($argument:expr),+))*;
            )+
        }
        $(sections { $($(#[doc = $part_doc:literal])+ $part:ident: $part_type:ty,)+ })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
            $($($(#[doc = $part_doc])+ pub $part: $part_type,)+)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ $($($part: <$part_type>::default(),)+)? }
            }
        }

        impl $name {
            pub(in crate::config) const SECTION: $crate::config::setting::Section = $crate::config::setting::Section {
                name: $crate::config::setting::at!($at),
                about: concat!($($about),+),
                settings: &[$(
                    $crate::config::setting::Setting {
                        key: $crate::config::setting::at!($at $field),
                        doc: concat!($($doc),+),
                        kind: <$type as $crate::config::value::Value>::kind,
                        flag: None,
                        secret: <$type as $crate::config::value::Value>::SECRET,
                        quoted: <$type as $crate::config::value::Value>::QUOTED,
                        computed: None,
                        set: |config, raw| {
                            $crate::config::setting::at!($at config $field) = $crate::config::value::Value::from_raw(raw)?;
                            Ok(())
                        },
                        show: |config| $crate::config::value::Value::to_raw(&$crate::config::setting::at!($at config $field)),
                    }
                    $(.$method($($argument),+))*,
                )+],
            };
        }
    };
}

/// A section's name, a setting's key, and a setting's place in the config.
macro_rules! at {
    ([]) => {
        ""
    };
    ([$section:ident]) => {
        stringify!($section)
    };
    ([] $field:ident) => {
        stringify!($field)
    };
    ([$section:ident] $field:ident) => {
        concat!(stringify!($section), ".", stringify!($field))
    };
    ([] $config:ident $field:ident) => {
        $config.$field
    };
    ([$section:ident] $config:ident $field:ident) => {
        $config.$section.$field
    };
}

/// Declares an enum whose values are words of the configuration.
macro_rules! choice {
    ($(#[doc = $about:literal])+ pub enum $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $crate::config::value::Item for $name {
            fn kind() -> String {
                $crate::config::value::one_of(&[$($word),+], "`")
            }

            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("\"{text}\" is unknown: expected {}", $crate::config::value::one_of(&[$($word),+], ""))),
                }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => $word,)+ }.into()
            }
        }
    };
}

pub(super) use {at, choice, section};
