//! Counts of what the portal answers, and room for the counts of others, in the text form that Prometheus reads.

use std::sync::Mutex;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u32,
}

/// All counts of this process. Others register theirs with [`Metrics::register`].
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Labels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("dnscert");
        let requests = Family::<Labels, Counter>::default();
        registry.register(
            "http_requests",
            "Answers of the portal by method, route and status",
            requests.clone(),
        );
        Self {
            registry: Mutex::new(registry),
            requests,
        }
    }
}

impl Metrics {
    /// Lets another part of the process add its counts.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().expect("no holder of this lock panics"));
    }

    /// Counts one answer. The route is the pattern, never the path: tokens stay out.
    pub fn count(&self, method: &Method, route: Option<&str>, status: StatusCode) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        let route = route.unwrap_or("none").to_owned();
        self.requests
            .get_or_create(&Labels {
                method,
                route,
                status: status.as_u16().into(),
            })
            .inc();
    }

    /// The text that a scrape gets, without what is counted at the moment of the scrape.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().expect("no holder of this lock panics");
        encode(&mut text, &registry).expect("a string takes all");
        text
    }
}
