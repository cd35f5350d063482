-- Repeats the journal's requests, a second apart, until there are :count. The newest ended just now.

CREATE TEMP TABLE known AS
SELECT count(*) AS count, max(id) AS last, max(at_ms) AS at_ms FROM requests;

CREATE TEMP TABLE added AS
WITH RECURSIVE numbers (id) AS (
    SELECT last + 1 FROM known UNION ALL SELECT id + 1 FROM numbers WHERE id < :count
)
SELECT numbers.id, 1 + numbers.id % known.count AS model FROM numbers, known;

INSERT INTO requests (id, at_ms, shape, session, agent, error, run, number, duration_us, ttft_us, request_bytes,
    response_bytes, input, cache_write_5m, cache_write_1h, cache_read, output, thinking, cost_nanousd, cache_saved_nanousd,
    cache_lost_nanousd, overtaken_nanousd)
SELECT added.id, at_ms, shape, session, agent, error, run, added.id, duration_us, ttft_us, request_bytes, response_bytes,
    input, cache_write_5m, cache_write_1h, cache_read, output, thinking, cost_nanousd, cache_saved_nanousd, cache_lost_nanousd,
    overtaken_nanousd
FROM added JOIN requests ON requests.id = added.model
ORDER BY added.id;

UPDATE requests SET at_ms = (SELECT at_ms FROM known) - (:count - id) * 1000;

INSERT INTO attempts (request, n, endpoint, outcome, status, why, reason, queue_us, connect_us, tls_us, headers_us,
    first_event_us, last_byte_us, limit_names, limit_values)
SELECT added.id, n, endpoint, outcome, status, why, reason, queue_us, connect_us, tls_us, headers_us, first_event_us,
    last_byte_us, limit_names, limit_values
FROM added JOIN attempts ON attempts.request = added.model;

INSERT OR REPLACE INTO blocks
SELECT id / 512, min(at_ms), max(at_ms), min(number), max(number) FROM requests GROUP BY id / 512;
INSERT OR IGNORE INTO shape_blocks SELECT DISTINCT shape, id / 512 FROM requests;
INSERT OR IGNORE INTO string_blocks
SELECT session, id / 512 FROM requests WHERE session <> 0
UNION SELECT agent, id / 512 FROM requests WHERE agent <> 0
UNION SELECT error, id / 512 FROM requests WHERE error <> 0
UNION SELECT run, id / 512 FROM requests WHERE run <> 0;

UPDATE facts SET value = :count WHERE name = 'last_request';
