//! The whole `/v2` request path: a request written as text goes through the app, and whatever it is, the answer is
//! never a 5xx, never a panic, and every refusal is an OCI error body.
//!
//! ```text
//! PUT /v2/team/app/manifests/v1
//! content-type: application/vnd.oci.image.manifest.v1+json
//!
//! {"schemaVersion":2, …
//! ```

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use tokio::runtime::{Builder, Runtime};
use wharf_testkit::boxed::Boxed;

/// `admin:secret`, the box's account.
const BASIC: &str = "Basic YWRtaW46c2VjcmV0";

struct App {
    runtime: Runtime,
    boxed: Boxed,
}

thread_local! {
    static APP: App = {
        #[expect(clippy::unwrap_used, reason = "without a runtime there is nothing to fuzz")]
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let boxed = runtime.block_on(async {
            let boxed = Boxed::builder().fails().open().await.leaving_uploads();
            boxed.push_image("team/app", "v1").await;
            boxed
        });
        App { runtime, boxed }
    };
}

/// One request.
pub fn request(data: &[u8]) {
    let Some(request) = parse(data) else { return };
    APP.with(|app| {
        // Error bodies are checked by the box itself.
        let reply = app.runtime.block_on(app.boxed.send(request));
        assert!(reply.status.as_u16() < 500, "{}: {}", reply.asked, reply.status);
    });
}

/// `None` for what hyper would not hand on.
fn parse(data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|two| two == b"\n\n").unwrap_or(data.len());
    let head = std::str::from_utf8(&data[..end]).ok()?;
    let body = data.get(end + 2..).unwrap_or_default().to_vec();
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::new(Body::from(body.clone()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = target.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'))?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // hyper has framed the body by these; they cannot say something else here.
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            request.headers_mut().append(name, HeaderValue::from_str(value.trim()).ok()?);
        }
    }
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.entry(header::AUTHORIZATION).or_insert(HeaderValue::from_static(BASIC));
    Some(request)
}
