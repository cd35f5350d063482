-- What the prompt of an overtaken attempt cost: an estimate, and an upper bound; NULL if none was overtaken, or the
-- price is not known.
ALTER TABLE requests ADD COLUMN overtaken_nanousd INTEGER;

-- Requests with a second attempt beside a late first one, and what the overtaken ones of these cost.
ALTER TABLE usage ADD COLUMN second_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN overtaken_nanousd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_usage ADD COLUMN second_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_usage ADD COLUMN overtaken_nanousd INTEGER NOT NULL DEFAULT 0;

DROP VIEW request_log;
DROP VIEW attempt_log;
DROP VIEW usage_log;
DROP VIEW session_usage_log;

-- Requests, readable.
CREATE VIEW request_log AS
SELECT
    requests.id,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at,
    run.text || coalesce('-' || number, '') AS request,
    method.text AS method,
    path.text AS path,
    nullif(status, 0) AS status,
    CASE ended WHEN 0 THEN 'answered' WHEN 1 THEN 'failed' WHEN 2 THEN 'aborted' WHEN 3 THEN 'abandoned' ELSE 'refused' END AS ended,
    nullif(client.text, '') AS client,
    nullif(session.text, '') AS session,
    nullif(agent.text, '') AS agent,
    nullif(model.text, '') AS model,
    nullif(served_model.text, '') AS served_model,
    nullif(endpoint.text, '') AS endpoint,
    nullif(stop_reason.text, '') AS stop_reason,
    duration_us / 1000.0 AS duration_ms,
    ttft_us / 1000.0 AS ttft_ms,
    request_bytes,
    response_bytes,
    input, cache_write_5m, cache_write_1h, cache_read, output, thinking,
    cost_nanousd / 1e9 AS cost_usd,
    cache_saved_nanousd / 1e9 AS cache_saved_usd,
    cache_lost_nanousd / 1e9 AS cache_lost_usd,
    overtaken_nanousd / 1e9 AS overtaken_cost_usd,
    nullif(error.text, '') AS error
FROM requests
JOIN shapes ON shapes.id = requests.shape
JOIN strings AS run ON run.id = requests.run
JOIN strings AS method ON method.id = shapes.method
JOIN strings AS path ON path.id = shapes.path
JOIN strings AS client ON client.id = shapes.client
JOIN strings AS session ON session.id = requests.session
JOIN strings AS agent ON agent.id = requests.agent
JOIN strings AS model ON model.id = shapes.model
JOIN strings AS served_model ON served_model.id = shapes.served_model
JOIN strings AS endpoint ON endpoint.id = shapes.endpoint
JOIN strings AS stop_reason ON stop_reason.id = shapes.stop_reason
JOIN strings AS error ON error.id = requests.error;

-- Attempts, readable.
CREATE VIEW attempt_log AS
SELECT
    request,
    n,
    endpoint.text AS endpoint,
    CASE outcome
        WHEN 0 THEN 'answered' WHEN 1 THEN 'not_served' WHEN 2 THEN 'client_fault' WHEN 3 THEN 'refused'
        WHEN 4 THEN 'exhausted' WHEN 5 THEN 'throttled' WHEN 6 THEN 'failed' WHEN 7 THEN 'invalid'
        WHEN 8 THEN 'abandoned' WHEN 9 THEN 'offline' WHEN 10 THEN 'overtaken'
    END AS outcome,
    status,
    why,
    reason,
    queue_us / 1000.0 AS queue_ms,
    connect_us / 1000.0 AS connect_ms,
    tls_us / 1000.0 AS tls_ms,
    headers_us / 1000.0 AS headers_ms,
    first_event_us / 1000.0 AS first_event_ms,
    last_byte_us / 1000.0 AS last_byte_ms,
    nullif(limit_names.text, '') AS limit_names,
    limit_values
FROM attempts
JOIN strings AS endpoint ON endpoint.id = attempts.endpoint
JOIN strings AS limit_names ON limit_names.id = attempts.limit_names;

-- Sums of requests, readable.
CREATE VIEW usage_log AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', at_ms / 1000, 'unixepoch') AS at,
    span_ms / 3600000 AS hours,
    endpoint.text AS endpoint,
    model.text AS model,
    requests, failed,
    input, cache_write_5m, cache_write_1h, cache_read, output, thinking,
    cost_nanousd / 1e9 AS cost_usd,
    unpriced,
    cache_saved_nanousd / 1e9 AS cache_saved_usd,
    cache_lost_nanousd / 1e9 AS cache_lost_usd,
    probes_nanousd / 1e9 AS probes_usd,
    second_attempts,
    overtaken_nanousd / 1e9 AS overtaken_cost_usd
FROM usage
JOIN strings AS endpoint ON endpoint.id = usage.endpoint
JOIN strings AS model ON model.id = usage.model;

-- The same by session, readable.
CREATE VIEW session_usage_log AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', at_ms / 1000, 'unixepoch') AS at,
    endpoint.text AS endpoint,
    model.text AS model,
    session.text AS session,
    requests, failed,
    input, cache_write_5m, cache_write_1h, cache_read, output, thinking,
    cost_nanousd / 1e9 AS cost_usd,
    unpriced,
    cache_saved_nanousd / 1e9 AS cache_saved_usd,
    cache_lost_nanousd / 1e9 AS cache_lost_usd,
    second_attempts,
    overtaken_nanousd / 1e9 AS overtaken_cost_usd
FROM session_usage
JOIN strings AS endpoint ON endpoint.id = session_usage.endpoint
JOIN strings AS model ON model.id = session_usage.model
JOIN strings AS session ON session.id = session_usage.session;
