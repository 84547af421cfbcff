//! Every operation of the OpenAPI document, for those who may do nothing.

use serde_json::Value;

use super::*;

/// Method, path with the examples of its parameters filled in, and a body where it takes one.
pub(super) fn every(document: &Value) -> Vec<(String, String, Option<Value>)> {
    let mut all = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut filled = path.clone();
            let mut query = vec![];
            for parameter in operation["parameters"].as_array().unwrap() {
                let name = parameter["name"].as_str().unwrap();
                let value = text(&example(document, &parameter["schema"])).replace('/', "%2F");
                match parameter["in"].as_str().unwrap() {
                    "path" => filled = filled.replace(&format!("{{{name}}}"), &value),
                    "query" if parameter["required"] == true => query.push(format!("{name}={value}")),
                    _ => {}
                }
            }
            if !query.is_empty() {
                filled = format!("{filled}?{}", query.join("&"));
            }
            let body = operation.get("requestBody");
            let body = body.map(|body| example(document, &body["content"]["application/json"]["schema"]));
            all.push((method.to_uppercase(), filled, body));
        }
    }
    all
}

fn example(document: &Value, schema: &Value) -> Value {
    if let Some(to) = schema["$ref"].as_str() {
        return example(document, document.pointer(to.trim_start_matches('#')).unwrap());
    }
    if let Some(value) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    if let Some(choice) = schema["oneOf"].get(0) {
        return example(document, choice);
    }
    let members = |names: Vec<&String>| {
        let one = |name: &String| (name.clone(), example(document, &schema["properties"][name]));
        names.into_iter().map(one).collect::<serde_json::Map<_, _>>()
    };
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("object") if schema["properties"].is_object() => {
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let least = usize::try_from(schema["minProperties"].as_u64().unwrap_or(0)).unwrap();
            let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
            let (must, may): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| required.contains(&name.as_str()));
            let more = least.saturating_sub(must.len());
            members(must.into_iter().chain(may.into_iter().take(more)).collect()).into()
        }
        Some("object") => {
            let key = text(&example(document, &schema["propertyNames"]));
            serde_json::json!({ key: example(document, &schema["additionalProperties"]) })
        }
        Some("array") => serde_json::json!([example(document, &schema["items"])]),
        Some("integer") => schema["minimum"].as_u64().unwrap_or(1).into(),
        Some("boolean") => true.into(),
        _ if schema["format"] == "password" => "correct horse".into(),
        _ => "team".into(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What anybody with an account may do, for themselves or to see what is open to all.
const FOR_ALL: [&str; 11] = [
    "GET /api/v1/audit",
    "GET /api/v1/grants",
    "GET /api/v1/self",
    "PUT /api/v1/self/password",
    "GET /api/v1/self/tokens",
    "POST /api/v1/self/tokens",
    "DELETE /api/v1/self/tokens/{id}",
    "GET /api/v1/self/sessions",
    "DELETE /api/v1/self/sessions/{id}",
    "GET /api/v1/orgs",
    "GET /api/v1/repositories",
];

#[tokio::test]
async fn nobody_in_particular_may_do_nothing_at_all() {
    let b = Boxed::new().await;
    let document = b.get("/api/v1/openapi.json").await.expect(200).json();
    let all = every(&document);
    assert!(all.len() > 40, "{}", all.len());
    for (method, path, body) in all {
        let ask = b.ask(&method, &path).anonymous();
        let ask = if let Some(body) = &body { ask.json(body) } else { ask };
        let reply = ask.await.problem(401, "");
        assert!(reply.header("www-authenticate").starts_with("Bearer realm="), "{method} {path}");
        // Who asks is asked before what is asked for: nothing is learnt from a malformed request.
        let wrong: Vec<&str> = path.split('/').map(|segment| if segment == "team" { "%FF" } else { segment }).collect();
        let ask = b.ask(&method, wrong.join("/")).anonymous().header("content-type", "text/plain");
        ask.body("nonsense").await.problem(401, "");
    }
}

#[tokio::test]
async fn who_has_an_account_and_no_right_is_refused_everywhere_else() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.post("/api/v1/orgs").json(&serde_json::json!({ "name": "team" })).await.expect(201);
    b.push_image("team/app", "latest").await;
    let document = b.get("/api/v1/openapi.json").await.expect(200).json();
    for (method, path, body) in every(&document) {
        let is_for_all = FOR_ALL.iter().any(|one| {
            let (verb, template) = one.split_once(' ').unwrap();
            let stem = template.split('{').next().unwrap();
            let same = if template.contains('{') { path.starts_with(stem) } else { path == template };
            verb == method && same
        });
        let ask = b.ask(&method, &path).bob();
        let reply = if let Some(body) = &body { ask.json(body).await } else { ask.await };
        let status = reply.status.as_u16();
        if is_for_all {
            assert!(status < 500, "{reply:?}");
        } else {
            assert!(matches!(status, 403 | 404), "{method} {path} {body:?}: {reply:?}");
        }
    }
}
