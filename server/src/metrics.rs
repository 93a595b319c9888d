//! What the server counts of itself, told in the OpenMetrics text format that Prometheus reads. Counters are kept here; how
//! many rooms there are is asked for when somebody reads. No name of a room, a key or a person is among them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = [(&'static str, &'static str); 1];

/// How many of what there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub rooms: usize,
    /// Connections to rooms.
    pub members: usize,
    /// Rooms whose sandbox runs.
    pub running: usize,
    /// Rooms that are kept ready.
    pub spare: usize,
}

/// Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Mutex<Registry>,
    opened: Family<Labels, Counter>,
    open_seconds: Histogram,
    answered: Family<Labels, Counter>,
    rooms: Gauge,
    members: Gauge,
    running: Gauge,
    spare: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("embedenv");
        let opened = Family::default();
        registry.register("rooms_opened", "Rooms that were asked for, by what came of it", Family::clone(&opened));
        // From 1 ms on, each twice as long, up to 33 s.
        let open_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let about = "From the request for a room until it is ready";
        registry.register_with_unit("room_open", about, Unit::Seconds, open_seconds.clone());
        let answered = Family::default();
        registry.register("http_responses", "Answers to HTTP requests, by status", Family::clone(&answered));
        let [rooms, members, running, spare] = [
            ("rooms", "Rooms that live"),
            ("connections", "Connections to rooms"),
            ("sandboxes_running", "Rooms whose sandbox runs"),
            ("rooms_spare", "Rooms that are kept ready"),
        ]
        .map(|(name, about)| {
            let gauge = Gauge::<i64>::default();
            registry.register(name, about, gauge.clone());
            gauge
        });
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let registry = Mutex::new(registry);
        Self(Arc::new(Inner { registry, opened, open_seconds, answered, rooms, members, running, spare }))
    }

    /// A room was asked for, and there it is after this long, or it isn't.
    pub fn opened(&self, took: Option<Duration>) {
        let outcome = if took.is_some() { "ready" } else { "refused" };
        self.0.opened.get_or_create(&[("outcome", outcome)]).inc();
        if let Some(took) = took {
            self.0.open_seconds.observe(took.as_secs_f64());
        }
    }

    /// A request was answered.
    pub fn answered(&self, status: u16) {
        let class = match status {
            0..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.0.answered.get_or_create(&[("status", class)]).inc();
    }

    /// All of it.
    pub fn text(&self, standing: Standing) -> String {
        let Standing { rooms, members, running, spare } = standing;
        let gauges =
            [(&self.0.rooms, rooms), (&self.0.members, members), (&self.0.running, running), (&self.0.spare, spare)];
        for (gauge, count) in gauges {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        encode(&mut text, &self.0.registry.lock()).expect("writing to a string never fails");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_and_the_text_ends_as_the_format_wants() {
        let metrics = Metrics::new();
        metrics.opened(Some(Duration::from_millis(12)));
        metrics.opened(None);
        metrics.answered(204);
        metrics.answered(404);
        let text = metrics.text(Standing { rooms: 3, members: 5, running: 2, spare: 1 });
        for line in [
            "embedenv_rooms_opened_total{outcome=\"ready\"} 1",
            "embedenv_rooms_opened_total{outcome=\"refused\"} 1",
            "embedenv_room_open_seconds_count 1",
            "embedenv_room_open_seconds_bucket{le=\"0.016\"} 1",
            "embedenv_room_open_seconds_bucket{le=\"0.008\"} 0",
            "embedenv_http_responses_total{status=\"2xx\"} 1",
            "embedenv_rooms 3",
            "embedenv_connections 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
