//! A browser at a box: it holds cookies, follows no link by itself, and sends forms as browsers do.

#![allow(clippy::missing_panics_doc, clippy::expect_used, clippy::panic, reason = "what fails here fails its test")]

use std::collections::BTreeMap;

use super::{Boxed, Reply};

/// The browser. It believes to be at `https://registry.example` when told so.
pub struct Browser<'b> {
    boxed: &'b Boxed,
    cookies: BTreeMap<String, String>,
    /// Where its forms come from.
    pub origin: String,
}

impl Boxed {
    /// A browser that has never been here.
    pub fn browser(&self) -> Browser<'_> {
        Browser { boxed: self, cookies: BTreeMap::new(), origin: "http://localhost".into() }
    }
}

impl Browser<'_> {
    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Reply {
        let ask = self.boxed.get(path).anonymous();
        let reply = match self.cookie() {
            Some(cookie) => ask.header("cookie", cookie).await,
            None => ask.await,
        };
        self.keep(&reply);
        reply
    }

    /// Sends a form as it is.
    pub async fn post(&mut self, path: &str, form: &str) -> Reply {
        let mut ask = self.boxed.post(path).anonymous().form(form.to_owned()).header("origin", self.origin.clone());
        if let Some(cookie) = self.cookie() {
            ask = ask.header("cookie", cookie);
        }
        let reply = ask.await;
        self.keep(&reply);
        reply
    }

    /// Fills in the form of a page, and sends it where the page says.
    pub async fn submit(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let html = String::from_utf8_lossy(&page.body).into_owned();
        let form = html.split("<form method=\"post\"").nth(1).unwrap_or_else(|| panic!("no form in {html}"));
        let action = between(form, "action=\"", "\"").expect("an action").to_owned();
        let hidden = form.split("type=\"hidden\"").skip(1).map(|input| {
            let name = between(input, "name=\"", "\"").expect("a name");
            (name, between(input, "value=\"", "\"").expect("a value"))
        });
        let all = hidden.chain(fields.iter().copied());
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        self.post(&action, &form).await
    }

    /// Signs in by password.
    pub async fn sign_in(&mut self, user: &str) {
        let page = self.get("/sign-in").await.expect(200);
        self.submit(&page, &[("user", user), ("password", super::PASSWORD)]).await.expect(303);
    }

    /// What it holds.
    pub fn cookie(&self) -> Option<String> {
        let all: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn keep(&mut self, reply: &Reply) {
        for cookie in reply.all("set-cookie") {
            let (pair, _) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            self.cookies.insert(name.into(), value.into());
        }
    }
}

impl Reply {
    /// The page's text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
