-- Every text that occurs in records, once. 0 stands for "none" wherever a string is referred to.
CREATE TABLE strings (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
INSERT INTO strings (id, text) VALUES (0, '');

-- What many requests have in common, once. Columns named after a string refer to strings.id.
CREATE TABLE shapes (
    id INTEGER PRIMARY KEY,
    method INTEGER NOT NULL,
    path INTEGER NOT NULL,
    client INTEGER NOT NULL,
    model INTEGER NOT NULL,
    served_model INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    stop_reason INTEGER NOT NULL,
    -- Whether a stream was asked for: 0 no, 1 yes, 2 not known.
    stream INTEGER NOT NULL,
    -- The status that the client got; 0: it left before.
    status INTEGER NOT NULL,
    -- 0 answered, 1 failed, 2 aborted, 3 abandoned, 4 refused.
    ended INTEGER NOT NULL,
    -- The endpoints of its attempts, as ",id,id,".
    tried TEXT NOT NULL,
    UNIQUE (model, endpoint, status, ended, path, method, client, served_model, stop_reason, stream, tried)
);

-- Requests, numbered in the order in which they ended. Times in milliseconds since 1970, durations in
-- microseconds, money in billionths of a US dollar.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    shape INTEGER NOT NULL,
    session INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    error INTEGER NOT NULL,
    -- Its identifier is run || '-' || number; without a number, run alone.
    run INTEGER NOT NULL,
    number INTEGER,
    duration_us INTEGER NOT NULL,
    ttft_us INTEGER,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    input INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    cache_read INTEGER,
    output INTEGER,
    thinking INTEGER,
    cost_nanousd INTEGER,
    cache_saved_nanousd INTEGER,
    cache_lost_nanousd INTEGER
);

CREATE TABLE attempts (
    request INTEGER NOT NULL,
    n INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    -- In the order of the contract: 0 answered, 1 not served, 2 client fault, 3 refused, 4 exhausted,
    -- 5 throttled, 6 failed, 7 invalid, 8 abandoned, 9 offline.
    outcome INTEGER NOT NULL,
    status INTEGER,
    -- A code, or JSON where it has parameters.
    why TEXT,
    reason TEXT,
    queue_us INTEGER NOT NULL,
    connect_us INTEGER,
    tls_us INTEGER,
    headers_us INTEGER,
    first_event_us INTEGER,
    last_byte_us INTEGER NOT NULL,
    -- Names of the rate-limit headers (a string: a JSON array), and their values (a JSON array).
    limit_names INTEGER NOT NULL,
    limit_values TEXT,
    PRIMARY KEY (request, n)
) WITHOUT ROWID;

-- What was recorded besides; bodies are UTF-8, compressed with zstd.
CREATE TABLE recordings (
    request INTEGER PRIMARY KEY,
    request_headers TEXT,
    response_headers TEXT,
    request_body BLOB,
    request_truncated INTEGER NOT NULL,
    response_body BLOB,
    response_truncated INTEGER NOT NULL
);

-- Blocks of 512 numbers of requests, of which time and of which requests.number they are, and where shapes
-- and strings (of requests.session, agent, error and run) occur.
CREATE TABLE blocks (
    block INTEGER PRIMARY KEY,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    first_number INTEGER,
    last_number INTEGER
);
CREATE TABLE shape_blocks (
    shape INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (shape, block)
) WITHOUT ROWID;
CREATE TABLE string_blocks (
    string INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (string, block)
) WITHOUT ROWID;
CREATE INDEX shape_blocks_by_block ON shape_blocks (block);
CREATE INDEX string_blocks_by_block ON string_blocks (block);

-- Which trigrams occur in which string and in which recording; lower case. Without positions: whoever
-- searches looks into what it finds.
CREATE VIRTUAL TABLE string_search USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE recording_search USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE string_terms USING fts5vocab (string_search, row);
CREATE VIRTUAL TABLE recording_terms USING fts5vocab (recording_search, row);

-- Sums of requests, and what probes cost, by hour of the machine's time zone; later by day. They outlive
-- the requests.
CREATE TABLE usage (
    at_ms INTEGER NOT NULL,
    -- 3600000, or 86400000 for a day, whatever its length.
    span_ms INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    model INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    output INTEGER NOT NULL,
    thinking INTEGER NOT NULL,
    cost_nanousd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cache_saved_nanousd INTEGER NOT NULL,
    cache_lost_nanousd INTEGER NOT NULL,
    probes_nanousd INTEGER NOT NULL,
    PRIMARY KEY (at_ms, span_ms, endpoint, model)
) WITHOUT ROWID;

-- The same by session, for as long as it is kept by hour.
CREATE TABLE session_usage (
    at_ms INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    model INTEGER NOT NULL,
    session INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    output INTEGER NOT NULL,
    thinking INTEGER NOT NULL,
    cost_nanousd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cache_saved_nanousd INTEGER NOT NULL,
    cache_lost_nanousd INTEGER NOT NULL,
    PRIMARY KEY (at_ms, endpoint, model, session)
) WITHOUT ROWID;

-- How endpoints were: by minute, later by hour, later by day (UTC).
CREATE TABLE history (
    endpoint INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    span_ms INTEGER NOT NULL,
    probes INTEGER NOT NULL,
    latency_us INTEGER NOT NULL,
    streams INTEGER NOT NULL,
    ttft_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    -- At the end: 0 ready, 1 recovering, 2 failing, 3 throttled, 4 refused, 5 exhausted, 6 draining,
    -- 7 disabled, 8 no credential; NULL: not seen.
    state INTEGER,
    PRIMARY KEY (endpoint, at_ms, span_ms)
) WITHOUT ROWID;

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
-- The last number given to a request: none is given twice. Besides, since when there are sums: sums_since.
INSERT INTO facts (name, value) VALUES ('last_request', 0);

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
        WHEN 8 THEN 'abandoned' ELSE 'offline'
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
    probes_nanousd / 1e9 AS probes_usd
FROM usage
JOIN strings AS endpoint ON endpoint.id = usage.endpoint
JOIN strings AS model ON model.id = usage.model;

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
    cache_lost_nanousd / 1e9 AS cache_lost_usd
FROM session_usage
JOIN strings AS endpoint ON endpoint.id = session_usage.endpoint
JOIN strings AS model ON model.id = session_usage.model
JOIN strings AS session ON session.id = session_usage.session;
