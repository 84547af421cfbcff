//! One operation: how it is described, and the handler that does it. The two cannot drift apart, because there is no
//! other way to route one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, OpenApi, PathItem, Paths, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use wharf_api::Page;

use super::request::Condition;
use super::{describe, document};
use crate::App;
use crate::rates::Toll;

const JSON: &str = "application/json";

/// An operation's description in the making.
pub(super) struct Operation {
    method: HttpMethod,
    path: &'static str,
    inner: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    /// Statuses of refusals beside those that every operation has.
    refusals: Vec<u16>,
    /// What a request for it takes of the limits.
    toll: Toll,
    condition: Condition,
}

impl Operation {
    fn new(method: HttpMethod, path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        let inner = OperationBuilder::new().tag(group).operation_id(Some(id)).summary(Some(summary));
        let inner = inner.parameters(Some(describe::path_parameters(path)));
        let toll = if method == HttpMethod::Get { Toll::NONE } else { Toll::CHANGE };
        let condition = if method == HttpMethod::Get { Condition::Harmless } else { Condition::Refused };
        Self { method, path, inner, schemas: vec![], refusals: vec![], toll, condition }
    }

    /// Reads; may be about something that is not there.
    pub(super) fn get(path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Get, path, group, id, summary)
    }

    /// Makes something, or finds it as it was asked for.
    pub(super) fn post(path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Post, path, group, id, summary).refuses(&[404, 409, 507])
    }

    /// Sets something as a whole.
    pub(super) fn put(path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Put, path, group, id, summary).refuses(&[404, 409, 507])
    }

    /// Changes what the body mentions, if nobody else did meanwhile.
    pub(super) fn patch(path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Patch, path, group, id, summary).refuses(&[404, 409, 507]).guarded()
    }

    /// Takes the version that is to be changed.
    pub(super) fn guarded(mut self) -> Self {
        self.inner = self.inner.parameter(describe::if_match());
        self.condition = Condition::Version;
        self.refuses(&[412])
    }

    /// Removes something.
    pub(super) fn delete(path: &'static str, group: &str, id: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Delete, path, group, id, summary).refuses(&[404, 409, 507]).answers_nothing("It is gone.")
    }

    /// More than fits into the summary.
    pub(super) fn says(mut self, description: &str) -> Self {
        self.inner = self.inner.description(Some(description));
        self
    }

    /// Takes these parameters after the `?`.
    pub(super) fn asks<T: IntoParams>(mut self) -> Self {
        for parameter in T::into_params(|| Some(ParameterIn::Query)) {
            self.inner = self.inner.parameter(parameter);
        }
        // What they name may not be there.
        self.refuses(&[404])
    }

    /// Takes a body.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<T>())).build();
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build();
        self.inner = self.inner.request_body(Some(body));
        self.refuses(&[408, 413, 415])
    }

    /// Answers with this.
    pub(super) fn answers<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.reference::<T>();
        self.answer(status, description, schema, &[])
    }

    /// Answers with this and its version.
    pub(super) fn answers_versioned<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.reference::<T>();
        self.answer(status, description, schema, &["ETag"])
    }

    /// Answers to a POST: 201 with what was made, 200 with what was there.
    pub(super) fn makes<T: ToSchema>(mut self, headers: &[&str]) -> Self {
        let schema = self.reference::<T>();
        let headers: Vec<&str> = headers.iter().copied().chain(["Location"]).collect();
        self.answer(201, "It was made.", schema.clone(), &headers).answer(
            200,
            "It was there already, just so.",
            schema,
            &headers,
        )
    }

    /// Answers to a POST that always makes something new.
    pub(super) fn makes_new<T: ToSchema>(mut self) -> Self {
        let schema = self.reference::<T>();
        self.answer(201, "It was made.", schema, &["Location"])
    }

    /// Answers to a PUT: 201 where nothing was before.
    pub(super) fn sets<T: ToSchema>(mut self, description: &str) -> Self {
        let schema = self.reference::<T>();
        self.answer(201, description, schema.clone(), &[]).answer(200, "It was there before.", schema, &[])
    }

    /// Answers with a page of these.
    pub(super) fn lists<T: ToSchema>(mut self, description: &str) -> Self {
        self.reference::<T>();
        let schema = Page::<T>::schema();
        self.toll = Toll::LIST;
        self.answer(200, description, schema, &["Link"])
    }

    /// Answers 204.
    pub(super) fn answers_nothing(mut self, description: &str) -> Self {
        self.inner = self.inner.response("204", ResponseBuilder::new().description(description).build());
        self
    }

    /// Also answers 200 with newline-delimited JSON. `Accept`, which chooses, is no parameter: OpenAPI wants none of that
    /// name (3.1, Parameter Object).
    pub(super) fn streams(mut self) -> Self {
        let mut operation = self.inner.build();
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
            let lines = ContentBuilder::new().schema(Some(String::schema())).build();
            response.content.insert("application/x-ndjson".into(), lines.into());
        }
        self.inner = operation.into();
        self
    }

    /// Is counted by no limit.
    pub(super) fn uncounted(self) -> Self {
        Self { toll: Toll::NONE, ..self }
    }

    fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    fn answer(mut self, status: u16, description: &str, schema: RefOr<Schema>, headers: &[&str]) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new().description(description).content(JSON, content);
        for name in headers {
            response = response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")));
        }
        self.inner = self.inner.response(status.to_string(), response.build());
        self
    }

    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name()).into()
    }

    fn build(self) -> (utoipa::openapi::path::Operation, Vec<(String, RefOr<Schema>)>) {
        let about_one = self.path.contains('{').then_some(404);
        let mut inner = self.inner;
        for status in document::ALWAYS.into_iter().chain(about_one).chain(self.refusals) {
            let response: RefOr<Response> = Ref::from_response_name(status.to_string()).into();
            inner = inner.response(status.to_string(), response);
        }
        (inner.build(), self.schemas)
    }
}

/// Every operation there is.
#[derive(Default)]
pub(super) struct Operations {
    router: Router<Arc<App>>,
    paths: Paths,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Operations {
    /// One more.
    pub(super) fn add<T: 'static>(mut self, operation: Operation, handler: impl Handler<T, Arc<App>>) -> Self {
        let (method, path) = (operation.method.clone(), operation.path);
        let extensions = (Extension(operation.toll), Extension(operation.condition));
        let filter = match method {
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Put => MethodFilter::PUT,
            HttpMethod::Patch => MethodFilter::PATCH,
            HttpMethod::Delete => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        self.router = self.router.route(path, on(filter, handler).layer(extensions));
        let (operation, schemas) = operation.build();
        self.schemas.extend(schemas);
        let item = PathItem::new(method, operation);
        match self.paths.paths.get_mut(path) {
            Some(known) => known.merge_operations(item),
            None => drop(self.paths.paths.insert(path.into(), item)),
        }
        self
    }

    pub(super) fn into_router(self) -> Router<Arc<App>> {
        self.router
    }

    pub(super) fn document(self) -> OpenApi {
        let mut components = Components::new();
        components.schemas.extend(self.schemas);
        document::assemble(self.paths, components)
    }
}
