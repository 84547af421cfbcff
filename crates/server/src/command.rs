//! The operator's subcommands.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;
use wharf_meta::{Durability, Meta};

use crate::config::{Config, Loaded, ServeFlags, Sources, render_show};
use crate::control::{Answer, Request};
use crate::folder::DataFolder;
use crate::{control, serve, systemd};

/// Everything an operator does with a server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the registry
    ///
    /// Settings come from flags, WHARF_* variables and a TOML file, in this order; `wharf config show` prints them with
    /// where each comes from. Runs until SIGTERM or Ctrl-C, then gives running requests time to finish.
    Serve(ServeFlags),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look after accounts
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look after the database
    #[command(subcommand)]
    Db(DbCommand),
}

/// `wharf config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting, its value, and where the value comes from
    Show {
        #[command(flatten)]
        flags: ServeFlags,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether a server would start with this configuration, without starting it
    Check(ServeFlags),
}

/// `wharf admin`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Give a user a new password, and end all their tokens
    ///
    /// Works while the server runs and while it does not. Prints the new password, unless it was given.
    ResetPassword {
        /// Whose
        #[arg(default_value = "admin")]
        user: String,
        /// Read the new password from standard input instead of making one up
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// `wharf db`
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Print the database's schema and size
    ///
    /// Works while the server runs and while it does not, and changes nothing.
    Status(DbStatus),
    /// Bring the schema up to date, which wharf serve does by itself when it starts
    ///
    /// Only while no server runs. There is no way back: take a backup first.
    Migrate(Place),
}

/// `wharf db status`
#[derive(Debug, Args)]
pub struct DbStatus {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which registry an operator's command is about.
#[derive(Debug, Args)]
pub struct Place {
    /// The data folder [default: as the configuration says]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Configuration file [default: as for wharf serve]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl From<Place> for ServeFlags {
    fn from(place: Place) -> Self {
        Self { data: place.data, config: place.config, ..Self::default() }
    }
}

impl Command {
    /// Runs the command. Failures are told on standard error; the exit code is 1 for them.
    pub fn run(self) -> ExitCode {
        // Before any thread is started: it takes the variables of socket activation out of the environment.
        let inherited = systemd::inherited();
        let outcome = match self {
            Self::Serve(flags) => load(&flags).and_then(|loaded| serve::run(&loaded, inherited?)),
            Self::Config(ConfigCommand::Show { flags, json }) => {
                load(&flags).and_then(|l| print(&render_show(&l, json)))
            }
            Self::Config(ConfigCommand::Check(flags)) => check(&flags),
            Self::Admin(AdminCommand::ResetPassword { user, password_stdin, place }) => {
                reset_password(&user, password_stdin, place)
            }
            Self::Db(DbCommand::Status(status)) => db_status(status),
            Self::Db(DbCommand::Migrate(place)) => db_migrate(place),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                drop(writeln!(std::io::stderr(), "wharf: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}

fn load(flags: &ServeFlags) -> anyhow::Result<Loaded> {
    Config::load(&Sources::collect(flags)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the configuration is not valid:\n  {}", lines.join("\n  "))
    })
}

fn check(flags: &ServeFlags) -> anyhow::Result<()> {
    let loaded = load(flags)?;
    let mut problems: Vec<String> = loaded.check_files().iter().map(ToString::to_string).collect();
    if problems.is_empty()
        && let (Some(certificate), Some(key)) = (&loaded.config.tls.certificate, &loaded.config.tls.key)
        && let Err(error) = crate::tls::load(certificate, key)
    {
        problems.push(error.to_string());
    }
    if problems.is_empty() {
        // Clients' clocks and rules are theirs: the server starts with such a certificate.
        let doubt = loaded.config.tls.certificate.as_deref().map(crate::tls::doubt).transpose()?.flatten();
        return print(&doubt.map_or_else(|| "ok\n".into(), |doubt| format!("ok, but {doubt}\n")));
    }
    bail!("the configuration is not valid:\n  {}", problems.join("\n  "))
}

fn reset_password(user: &str, from_stdin: bool, place: Place) -> anyhow::Result<()> {
    let password = if from_stdin { Some(read_password()?) } else { None };
    let given = password.is_some();
    match ask(&load(&place.into())?, Request::ResetPassword { user: user.into(), password })? {
        Answer::Password { password: Some(_) } if given => print(&format!("The password of {user} is set.\n")),
        Answer::Password { password: Some(password) } => print(&format!("{password}\n")),
        Answer::Password { password: None } => bail!("there is no user {user}"),
        other => unexpected(other),
    }
}

fn db_status(status: DbStatus) -> anyhow::Result<()> {
    let json = status.json;
    match ask(&load(&status.place.into())?, Request::DatabaseStatus)? {
        Answer::Database { applied, known, bytes } if json => {
            print(&format!("{}\n", serde_json::json!({ "applied": applied, "known": known, "bytes": bytes })))
        }
        Answer::Database { applied, known, bytes } => {
            print(&format!("schema  {applied} of {known}\nsize    {bytes} bytes\n"))
        }
        other => unexpected(other),
    }
}

fn db_migrate(place: Place) -> anyhow::Result<()> {
    let loaded = load(&place.into())?;
    let folder = DataFolder::take(registry_folder(&loaded)?)?;
    let file = folder.database();
    let about = || format!("cannot migrate {}", file.display());
    let before = Meta::status_of(&file).with_context(about)?.schema;
    let meta = Meta::open(&file, Durability::Synced).with_context(about)?;
    runtime()?.block_on(meta.fold_log()).with_context(about)?;
    if before.applied == before.known {
        return print(&format!("schema {} is the latest: nothing to do\n", before.applied));
    }
    print(&format!("migrated from schema {} to {}\n", before.applied, before.known))
}

/// What another version may answer is not printed: it may be a secret.
fn unexpected(answer: Answer) -> anyhow::Result<()> {
    match answer {
        Answer::Failed { reason } => bail!("{reason}"),
        _ => bail!("the server gave the answer to another question: is it of this version?"),
    }
}

/// The data folder, in which there must be a database.
fn registry_folder(loaded: &Loaded) -> anyhow::Result<&Path> {
    let data = &loaded.config.data;
    match std::fs::metadata(data.join("wharf.db")) {
        Ok(_) => Ok(data),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("there is no registry in {}: give its --data", data.display())
        }
        Err(error) => bail!("cannot look into {}: {error}; run this as the folder's owner", data.display()),
    }
}

/// Asks the server that holds the data folder, or when none does, takes the folder and does it here.
fn ask(loaded: &Loaded, request: Request) -> anyhow::Result<Answer> {
    let data = registry_folder(loaded)?;
    let Some(folder) = DataFolder::take_if_free(data)? else { return control::ask(data, &request) };
    if matches!(request, Request::DatabaseStatus) {
        return stored_status(&folder);
    }
    runtime()?.block_on(async {
        let registry = serve::open_registry(&loaded.config, &folder).await?;
        Ok(control::answer(&registry, request).await)
    })
}

/// Only looks: opening the registry would migrate the database and make what is missing in it.
fn stored_status(folder: &DataFolder) -> anyhow::Result<Answer> {
    let status = Meta::status_of(&folder.database())
        .with_context(|| format!("cannot read the database {}", folder.database().display()))?;
    Ok(Answer::Database { applied: status.schema.applied, known: status.schema.known, bytes: status.bytes })
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password")?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => bail!("standard input has no password"),
        password => Ok(password.into()),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has enough, as `head` does.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
