//! Parameters that many operations share.

use utoipa::PartialSchema;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required, Schema};
use wharf_api as api;

/// What stands in braces in a path, described.
pub(super) fn path_parameters(path: &'static str) -> Vec<Parameter> {
    let of_repository = path.starts_with(api::paths::REPOSITORY);
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| one(name, of_repository)).collect()
}

fn one(name: &str, of_repository: bool) -> Parameter {
    let (schema, description) = match name {
        "name" if of_repository => {
            (api::RepositoryName::schema(), "The repository's name. Its slashes are percent-encoded: `team%2Fapp`.")
        }
        "org" => (api::Name::schema(), "The org."),
        "team" => (api::Name::schema(), "The team."),
        "robot" => (api::Name::schema(), "The robot, by its name within the org: `ci`."),
        "user" => (api::Name::schema(), "The user."),
        "id" => (api::Id::schema(), "Its id, from the list."),
        "tag" => (pattern(r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$", "latest"), "The tag."),
        "digest" => (pattern(r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$", DIGEST), "The manifest's digest."),
        "class" => (api::LimitClass::schema(), "What is counted."),
        "per" => (api::LimitPer::schema(), "For whom it is counted."),
        _ => (api::Name::schema(), "Its name."),
    };
    parameter(name, ParameterIn::Path, schema, description)
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The version to change.
pub(super) fn if_match() -> Parameter {
    let description = "The `ETag` that the GET gave. With it, 412 is the answer if somebody else was faster, and nothing is done; `*` is any version.";
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(20));
    let schema = schema.pattern(Some(r#"^(\*|"[0-9]{1,18}")$"#)).examples(["\"3\""]);
    parameter("If-Match", ParameterIn::Header, schema.into(), description)
}

fn parameter(name: &str, of: ParameterIn, schema: RefOr<Schema>, description: &str) -> Parameter {
    let required = if of == ParameterIn::Path { Required::True } else { Required::False };
    let mut parameter = Parameter::new(name);
    parameter.parameter_in = of;
    parameter.required = required;
    parameter.schema = Some(schema);
    parameter.description = Some(description.into());
    parameter
}

fn pattern(pattern: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).examples([example]).into()
}
