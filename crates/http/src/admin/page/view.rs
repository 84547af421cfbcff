//! The document as the page shows it: references followed, types in words, an example with curl for every operation.

use serde_json::{Map, Value};

/// What operations there are about one thing.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) anchor: String,
    pub(super) about: Prose,
    pub(super) operations: Vec<Operation>,
}

pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) about: Vec<Prose>,
    pub(super) parameters: Vec<Field>,
    /// The schema of its body.
    pub(super) body: Option<String>,
    pub(super) answers: Vec<Answer>,
    /// Statuses it may be refused with.
    pub(super) refusals: Vec<String>,
    pub(super) curl: String,
}

/// A parameter, or a property of a schema.
pub(super) struct Field {
    pub(super) name: String,
    /// `query`, `path`, `header`; empty for a property.
    pub(super) place: String,
    pub(super) is_required: bool,
    pub(super) kind: Kind,
    pub(super) about: Prose,
}

/// A sentence or more, in pieces.
pub(super) type Prose = Vec<Piece>;

/// Words that are code, or are not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) words: String,
    pub(super) is_code: bool,
}

/// A type in words, and the schema it links to.
pub(super) struct Kind {
    pub(super) words: String,
    pub(super) link: Option<String>,
}

pub(super) struct Answer {
    pub(super) status: String,
    pub(super) about: Prose,
    pub(super) kind: Option<Kind>,
}

pub(super) struct Schema {
    pub(super) name: String,
    pub(super) about: Vec<Prose>,
    /// In words, for what has no properties.
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field>,
}

pub(super) fn groups(document: &Value) -> Vec<Group> {
    let tags = document["tags"].as_array().into_iter().flatten();
    tags.map(|tag| {
        let name = text(&tag["name"]);
        let operations = operations(document, &name);
        Group { anchor: name.to_lowercase().replace(' ', "-"), name, about: prose(&tag["description"]), operations }
    })
    .collect()
}

fn operations(document: &Value, group: &str) -> Vec<Operation> {
    let mut found = vec![];
    for (path, item) in entries(&document["paths"]) {
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(one) = item.get(method) else { continue };
            if one["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == group)) {
                found.push(operation(document, path, method, one));
            }
        }
    }
    found
}

fn operation(document: &Value, path: &str, method: &str, one: &Value) -> Operation {
    let parameters = one["parameters"].as_array().into_iter().flatten().map(|parameter| Field {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        is_required: parameter["required"] == true,
        kind: kind(&parameter["schema"]),
        about: prose(&parameter["description"]),
    });
    let body = &one["requestBody"]["content"]["application/json"]["schema"];
    let (good, bad): (Vec<_>, Vec<_>) = entries(&one["responses"]).partition(|(status, _)| status.starts_with('2'));
    let answers = good.into_iter().map(|(status, answer)| Answer {
        status: status.clone(),
        about: prose(&answer["description"]),
        kind: answer.get("content").map(|content| kind(&content["application/json"]["schema"])),
    });
    Operation {
        id: text(&one["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&one["summary"]),
        about: paragraphs(&one["description"]),
        parameters: parameters.collect(),
        body: referred(body).map(str::to_owned),
        answers: answers.collect(),
        refusals: bad.into_iter().map(|(status, _)| status.clone()).collect(),
        curl: curl(document, path, method, one),
    }
}

pub(super) fn schemas(document: &Value) -> Vec<Schema> {
    let schemas = entries(&document["components"]["schemas"]);
    schemas
        .map(|(name, schema)| {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = entries(&schema["properties"]).map(|(name, property)| Field {
                name: name.clone(),
                place: String::new(),
                is_required: required.iter().any(|one| one == name),
                kind: kind(property),
                about: prose(&property["description"]),
            });
            let (fields, about) = (fields.collect(), paragraphs(&schema["description"]));
            Schema { name: name.clone(), about, kind: kind(schema), fields }
        })
        .collect()
}

/// A schema in a few words: `string of 1 to 64 characters`, `list of Org`, `one of reader, writer, maintainer`.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = referred(schema) {
        return Kind { words: name.into(), link: Some(name.into()) };
    }
    let choices = schema["oneOf"].as_array().or_else(|| schema["allOf"].as_array());
    if let Some(choices) = choices {
        let is_null = |choice: &&Value| choice["type"] == "null";
        let inner = choices.iter().find(|choice| !is_null(choice)).map_or_else(|| kind(&Value::Null), kind);
        let or_null = if choices.iter().any(|choice| is_null(&choice)) { " or null" } else { "" };
        return Kind { words: inner.words + or_null, link: inner.link };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(text).collect();
        return Kind { words: format!("one of {}", words.join(", ")), link: None };
    }
    if schema["properties"]["items"]["type"] == "array" && schema["properties"].get("next").is_some() {
        let item = kind(&schema["properties"]["items"]["items"]);
        return Kind { words: format!("page of {}", item.words), link: item.link };
    }
    if schema["type"] == "array" {
        let item = kind(&schema["items"]);
        return Kind { words: format!("list of {}", item.words), link: item.link };
    }
    let types: Vec<String> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    Kind { words: types.join(" or ") + &bounds(schema), link: None }
}

fn bounds(schema: &Value) -> String {
    let range = |least: &str, most: &str| match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    };
    let length = range("minLength", "maxLength").map(|range| format!(" of {range} characters"));
    let value = range("minimum", "maximum").map(|range| format!(", {range}"));
    let format = schema["format"].as_str().filter(|format| *format == "date-time").map(|_| ", a time".to_owned());
    length.or(value).or(format).unwrap_or_default()
}

fn curl(document: &Value, path: &str, method: &str, one: &Value) -> String {
    let parameters: Vec<&Value> = one["parameters"].as_array().into_iter().flatten().collect();
    let mut path = path.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter["in"] == "path") {
        let (name, example) = (text(&parameter["name"]), example(document, &parameter["schema"]));
        path = path.replace(&format!("{{{name}}}"), &text(&example).replace('/', "%2F"));
    }
    let query = parameters.iter().filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let query = query.map(|one| format!("{}={}", text(&one["name"]), text(&example(document, &one["schema"]))));
    let query: Vec<String> = query.collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let body = one.get("requestBody").map(|body| {
        let body = example(document, &body["content"]["application/json"]["schema"]);
        format!(" -H 'Content-Type: application/json' -d '{body}'")
    });
    // curl knows these two by itself.
    let is_known = method == "get" || (method == "post" && body.is_some());
    let method = if is_known { String::new() } else { format!(" -X {}", method.to_uppercase()) };
    let (body, query) = (body.unwrap_or_default(), query.join("&"));
    format!("curl -u alice{method}{body} 'https://registry.example.org{path}{mark}{query}'")
}

/// A value of that schema: its example, or what is required of it; where nothing is, its first property.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(name) = referred(schema) {
        return example(document, &document["components"]["schemas"][name]);
    }
    if let Some(value) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    if let Some(choice) = schema["oneOf"].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        return example(document, choice);
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.first().cloned().unwrap_or_default(),
        one => one.clone(),
    };
    match types.as_str() {
        Some("object") => object_example(document, schema),
        Some("array") => Value::Array(vec![example(document, &schema["items"])]),
        Some("integer") => schema["minimum"].as_u64().map_or(Value::from(1), Value::from),
        Some("boolean") => Value::Bool(true),
        _ if schema["format"] == "password" => Value::from("correct horse battery"),
        _ => Value::from("…"),
    }
}

fn object_example(document: &Value, schema: &Value) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut properties: Vec<(&String, &Value)> = entries(&schema["properties"]).collect();
    if required.is_empty() {
        properties.truncate(1);
    }
    // More than what is required, where one of several has to be there.
    let least = schema["minProperties"].as_u64().and_then(|least| usize::try_from(least).ok()).unwrap_or(0);
    let mut chosen: Map<String, Value> = Map::new();
    let is_required = |name: &String| required.is_empty() || required.iter().any(|one| one == name);
    for (name, property) in properties.iter().filter(|(name, _)| is_required(name)) {
        chosen.insert((*name).clone(), example(document, property));
    }
    for (name, property) in &properties {
        if chosen.len() < least {
            chosen.entry((*name).clone()).or_insert_with(|| example(document, property));
        }
    }
    if chosen.is_empty() && schema.get("additionalProperties").is_some() {
        let name = text(&example(document, &schema["propertyNames"]));
        chosen.insert(name, example(document, &schema["additionalProperties"]));
    }
    Value::Object(chosen)
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

pub(super) fn paragraphs(value: &Value) -> Vec<Prose> {
    let parts = value.as_str().unwrap_or_default().split("\n\n").map(str::trim);
    parts.filter(|part| !part.is_empty()).map(pieces).collect()
}

fn prose(value: &Value) -> Prose {
    pieces(value.as_str().unwrap_or_default())
}

/// What stands between two backticks is code.
fn pieces(text: &str) -> Prose {
    let words = text.split('`').enumerate();
    let pieces = words.map(|(at, words)| Piece { words: words.replace('\n', " "), is_code: at % 2 == 1 });
    pieces.filter(|piece| !piece.words.is_empty()).collect()
}

/// Without the marks that say what is code.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, |text| text.replace('`', ""))
}
