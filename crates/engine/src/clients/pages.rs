//! The three reserved paths of the proxy port: `/status`, `/diagnostics`, `/health`.
//!
//! `/status` begins with the fields of claude-zephyr, because users have scripts that read them.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};
use zephyr_control::{EndpointState, EndpointView, Language, text};

use super::neighbour::Standing;
use crate::clients::reply;
use crate::engine::shared::Shared;

/// Whether one of the pages is at this path.
pub fn are_at(path: &str) -> bool {
    matches!(path, "/status" | "/diagnostics" | "/health")
}

/// `GET /status`. A stranger learns how the endpoints are, but no URL and nothing that an endpoint said.
pub fn status(shared: &Shared, standing: Standing) -> Response<Bytes> {
    let snapshot = shared.snapshot();
    let live = shared.live();
    let mut current = None;
    let mut endpoints = Map::new();
    let mut connections = Map::new();
    for endpoint in &snapshot.endpoints {
        let key = match standing {
            Standing::Own => key(endpoint, &endpoints),
            Standing::Stranger => endpoint.name.clone(),
        };
        if snapshot.current.as_ref() == Some(&endpoint.name) {
            current = Some(key.clone());
        }
        connections.insert(key.clone(), json!(endpoint.in_flight));
        let mut told = endpoint_status(endpoint);
        if standing == Standing::Stranger {
            told["endpoint"] = Value::String(endpoint.name.clone());
            told["error"] = Value::Null;
        }
        endpoints.insert(key, told);
    }
    let groups: Vec<Value> = live
        .config
        .groups
        .iter()
        .map(|group| {
            let members = snapshot
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.group == group.name);
            let names: Vec<&str> = members.map(|endpoint| endpoint.name.as_str()).collect();
            json!({ "name": group.name, "default": group.default, "endpoints": names })
        })
        .collect();
    let config = &live.config;
    let body = json!({
        "current_endpoint": current,
        "total_active_connections": snapshot.totals.in_flight,
        "endpoint_connections": connections,
        "endpoints": endpoints,
        "timestamp": snapshot.taken_at_ms / 1000,
        "config": {
            "port": config.server.port,
            "switch_threshold_ms": crate::clock::millis(config.server.switch_threshold),
            "graceful_switch_timeout_ms": crate::clock::millis(config.server.drain_timeout),
            "health_check_interval_seconds": config.health_check.interval.as_secs(),
            "health_check_timeout_seconds": config.health_check.timeout.as_secs(),
        },
        "status": snapshot.status,
        "current_name": snapshot.current,
        "mode": snapshot.mode,
        "paused": snapshot.paused,
        "offline": snapshot.offline_since_ms.is_some(),
        "strategy": snapshot.strategy,
        "version": snapshot.version,
        "groups": groups,
        "totals": snapshot.totals,
    });
    reply::json(StatusCode::OK, &body)
}

/// `GET /diagnostics`: the whole snapshot, with every reason in words. A stranger gets what `/status` tells one.
pub fn diagnostics(shared: &Shared, standing: Standing) -> Response<Bytes> {
    if standing == Standing::Stranger {
        return status(shared, standing);
    }
    let snapshot = shared.snapshot();
    let events: Vec<Value> = snapshot
        .events
        .iter()
        .map(|event| json!({ "at_ms": event.at_ms, "text": text(Language::En, &event.kind) }))
        .collect();
    let decision = snapshot.decision.as_ref().map(|decision| {
        let others: Map<String, Value> = decision.others.iter().map(|other| {
            (other.endpoint.clone(), Value::String(text(Language::En, &other.why)))
        }).collect();
        json!({ "endpoint": snapshot.current, "why": text(Language::En, &decision.why), "why_not": others })
    });
    let status = json!({
        "overall": text(Language::En, &snapshot.status.overall),
        "headline": text(Language::En, &snapshot.status.headline),
    });
    let body = json!({
        "status": status,
        "decision": decision,
        "events": events,
        "snapshot": &*snapshot,
    });
    reply::json(StatusCode::OK, &body)
}

/// `GET /health`: 200 if an endpoint is usable, else 503. The words and the time format are those of
/// claude-code-lb.
pub fn health(shared: &Shared) -> Response<Bytes> {
    let snapshot = shared.snapshot();
    let usable = snapshot.usable();
    let live = shared.live();
    let healthy = usable > 0;
    let body = json!({
        "status": if healthy { "ok" } else { "unavailable" },
        "total_servers": snapshot.endpoints.len(),
        "available_servers": usable,
        "load_balancer": snapshot.strategy,
        "fallback": live.config.failover.enabled,
        "time": format!("{:.0}", jiff::Timestamp::now()),
    });
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    reply::json(status, &body)
}

/// The URL. A further endpoint with the same URL gets `URL#NAME`.
fn key(endpoint: &EndpointView, taken: &Map<String, Value>) -> String {
    if taken.contains_key(&*endpoint.url) {
        format!("{}#{}", endpoint.url, endpoint.name)
    } else {
        endpoint.url.to_string()
    }
}

fn endpoint_status(endpoint: &EndpointView) -> Value {
    let whole_ms = |latency: f64| latency.round();
    json!({
        "endpoint": endpoint.url,
        "latency": endpoint.latency_ms.map(whole_ms),
        "available": endpoint.state.is_usable() && endpoint.state != EndpointState::Faltering,
        "error": endpoint.reason.as_ref().map(|why| text(Language::En, why)),
        "last_check": endpoint.last_check_ms.map(|ms| ms / 1000),
        "latency_history": endpoint.latency_history.iter().map(|latency| latency.map(whole_ms)).collect::<Vec<_>>(),
        "name": endpoint.name,
        "group": endpoint.group,
        "state": endpoint.state,
        "ttft_ms": endpoint.ttft_ms.map(whole_ms),
        "compared_by": endpoint.compared_by,
    })
}
