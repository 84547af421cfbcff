use serde_json::json;

use super::*;

fn of(document: &Value) -> Vec<view::Operation> {
    view::groups(document).into_iter().flat_map(|group| group.operations).collect()
}

#[test]
fn an_example_has_what_is_required_and_escapes_the_path() {
    let document = json!({
        "tags": [{ "name": "Things", "description": "Things." }],
        "paths": { "/api/v1/things/{name}": { "post": {
            "tags": ["Things"], "operationId": "makeThing", "summary": "Makes a thing",
            "parameters": [
                { "name": "name", "in": "path", "schema": { "type": "string", "examples": ["team/app"] } },
                { "name": "user", "in": "query", "required": true, "schema": { "$ref": "#/components/schemas/Name" } },
                { "name": "limit", "in": "query", "schema": { "type": "integer" } },
            ],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } } },
            "responses": { "201": { "description": "Made." }, "400": {} },
        } } },
        "components": { "schemas": {
            "Name": { "type": "string", "examples": ["alice"], "minLength": 1, "maxLength": 64 },
            "New": {
                "type": "object", "required": ["role"], "minProperties": 2,
                "properties": {
                    "role": { "type": "string", "enum": ["reader", "writer"] },
                    "user": { "$ref": "#/components/schemas/Name" },
                    "team": { "$ref": "#/components/schemas/Name" },
                },
            },
        } },
    });
    let operations = of(&document);
    assert_eq!(
        operations[0].curl,
        "curl -u alice -H 'Content-Type: application/json' -d '{\"role\":\"reader\",\"team\":\"alice\"}' \
         'https://registry.example.org/api/v1/things/team%2Fapp?user=alice'"
    );
    assert_eq!(operations[0].refusals, ["400"]);
    let name = view::schemas(&document).remove(0);
    assert_eq!(name.kind.words, "string of 1 to 64 characters");
}

#[test]
fn words_between_backticks_are_code() {
    let piece = |words: &str, is_code| view::Piece { words: words.into(), is_code };
    let found = view::paragraphs(&json!("Ask with `after`,\nor follow.\n\n`null` ends it.\n"));
    let first = vec![piece("Ask with ", false), piece("after", true), piece(", or follow.", false)];
    assert_eq!(found, [first, vec![piece("null", true), piece(" ends it.", false)]]);
}

#[test]
fn the_page_renders() {
    assert!(PAGE.as_ref().is_ok_and(|page| page.contains("<h1>")), "{PAGE:?}");
}
