//! debug
use zephyr_clients_test::*;
use zephyr_testkit::*;
#[tokio::test]
async fn dbg() {
    for (n, act) in [("cut", Act::cut_at(Phase::AfterBlockStop)), ("reset", Act::reset_at(Phase::AfterBlockStop)), ("cutdelta", Act::cut_at(Phase::AfterMessageDelta)), ("end", Act::end_at(Phase::AfterBlockStop))] {
        for via in [false, true] {
        let first = Endpoint::start(Act::message("Hello there good.")).await;
        let second = Endpoint::start(Act::message("Hello there good.")).await;
        first.push(act.clone());
        let z = if via { Some(Zephyr::over(&first, &second).await) } else { None };
        let url = z.as_ref().map_or(first.url(), |z| z.url());
        let o = Client::ClaudeCode.calls(&url, &[Call::Stream]).await;
        let mut reqs = first.requests(); reqs.extend(second.requests());
        eprintln!("DBG {n} via={via} {o:?} reqs={} same={:?}", reqs.len(), reqs.get(1).map(|r| r.body == reqs[0].body));
        for r in &reqs { let j = r.json(); for m in j["messages"].as_array().unwrap() { let t = m.to_string(); eprintln!("DBG    {} {}", m["role"], &t[t.len().saturating_sub(200)..].replace('\n', " ")); } }
        }
    }
}
