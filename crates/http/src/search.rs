//! `docker search` and `podman search` (the v1 index API, of which this is all they use).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde_json::json;
use wharf_oci::{ErrorCode, Query, parse_n};
use wharf_registry::Caller;

use crate::credentials::{caller, source};
use crate::middleware::RouteName;
use crate::origin::realm;
use crate::rates::{Passage, Toll};
use crate::{App, Rejection};

/// What docker asks for by default, and what it may.
const USUAL: u64 = 25;
const MOST: u64 = 100;

pub(crate) async fn ping() -> Response {
    ([(CONTENT_TYPE, "application/json")], "{\"standalone\":true}").into_response()
}

pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let (passage, found) = match caller(&app.registry, &parts).await {
        Ok(caller) => {
            let (passage, admitted) = Passage::enter(&app, &caller, Toll::SEARCH, None).await;
            let found = match admitted {
                Ok(()) => find(&app, &caller, &parts).await,
                Err(refused) => Err(refused),
            };
            (passage, found)
        }
        Err(error) => {
            let stranger = Caller::anonymous(source(&parts));
            (Passage::enter(&app, &stranger, Toll::SEARCH.free(), None).await.0, Err(error.into()))
        }
    };
    let mut response = found.unwrap_or_else(|rejection| rejection.at(&realm(&app.options, &parts)).into_response());
    passage.leave(&app, &mut response);
    response.extensions_mut().insert(RouteName("search"));
    response
}

async fn find(app: &App, caller: &Caller, parts: &http::request::Parts) -> Result<Response, Rejection> {
    let query = Query::parse(parts.uri.query());
    let term = query.get("q").unwrap_or_default();
    let n = parse_n(query.get("n")).map_err(|error| Rejection::bad_request(ErrorCode::Unsupported, &error))?;
    let n = n.unwrap_or(USUAL).min(MOST);
    let found = app.registry.search(caller, &term.to_lowercase(), usize::try_from(n).unwrap_or(100)).await?;
    let result = |name: &wharf_oci::RepoName| json!({ "name": name.as_str(), "description": "", "star_count": 0, "is_official": false, "is_automated": false });
    let results: Vec<_> = found.entries.iter().map(result).collect();
    let body = json!({ "num_results": results.len(), "query": term, "results": results });
    Ok(([(CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}
