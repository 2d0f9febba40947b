-- The audit log. Sorted for "what happened in this window, per source"; "who saw this resident" goes through the
-- bloom index on subjects (0.1 % false positives: under two bytes an event), "what did this person do" through the
-- actor's dictionary column, which is a byte or two an event.
CREATE TABLE events (
    log_index UInt64 CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    delivery UInt64 CODEC(ZSTD(1)),
    class_uid UInt16 CODEC(ZSTD(1)),
    activity_id UInt8 CODEC(ZSTD(1)),
    type_uid UInt32 ALIAS toUInt32(class_uid) * 100 + activity_id,
    marks Array(LowCardinality(String)),
    activity LowCardinality(String),
    actor_id LowCardinality(String),
    actor_kind LowCardinality(String),
    actor_name LowCardinality(String),
    actor_org_unit LowCardinality(String),
    actor_role LowCardinality(String),
    affair LowCardinality(String),
    auth_authenticator LowCardinality(String),
    auth_factors Array(LowCardinality(String)),
    auth_user_verified Nullable(Bool),
    case_id String CODEC(ZSTD(1)),
    counterparty_body LowCardinality(String),
    counterparty_permit String CODEC(ZSTD(1)),
    counterparty_purpose_no LowCardinality(String),
    counterparty_system LowCardinality(String),
    event_id String CODEC(ZSTD(1)),
    export_approval_id String CODEC(ZSTD(1)),
    export_destination LowCardinality(String),
    export_file String CODEC(ZSTD(1)),
    export_medium_id LowCardinality(String),
    export_rows Nullable(UInt64) CODEC(ZSTD(1)),
    export_sha256 String CODEC(ZSTD(1)),
    operation_name LowCardinality(String),
    outcome LowCardinality(String),
    query_by LowCardinality(String),
    query_hits Nullable(UInt64) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    recorded_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    screen LowCardinality(String),
    sequence Nullable(UInt64) CODEC(Delta, ZSTD(1)),
    session String CODEC(ZSTD(1)),
    subject_count Nullable(UInt64) CODEC(ZSTD(1)),
    subjects Array(String) CODEC(ZSTD(1)),
    target_affair LowCardinality(String),
    target_id String CODEC(ZSTD(1)),
    target_system LowCardinality(String),
    terminal_id LowCardinality(String),
    terminal_ip LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    unmapped String CODEC(ZSTD(3)),
    INDEX by_subject subjects TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_event_id event_id TYPE minmax GRANULARITY 1,
    INDEX by_log_index log_index TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (source, time, log_index)
SETTINGS index_granularity = 8192;

-- Ids of a batch whose range overlaps with what the log has.
CREATE TABLE intake_ids (event_id String) ENGINE = Memory;

-- Events whose id returns, to be compared with what the log has.
CREATE TABLE intake_rows (
    n UInt64,
    activity String, actor_id String, actor_kind String, actor_name String, actor_org_unit String,
    actor_role String, affair String, auth_authenticator String, auth_factors Array(String),
    auth_user_verified Nullable(Bool), case_id String, counterparty_body String, counterparty_permit String,
    counterparty_purpose_no String, counterparty_system String, event_id String, export_approval_id String,
    export_destination String, export_file String, export_medium_id String, export_rows Nullable(UInt64),
    export_sha256 String, operation_name String, outcome String, query_by String, query_hits Nullable(UInt64),
    reason String, recorded_at Nullable(DateTime64(6, 'UTC')), screen String, sequence Nullable(UInt64),
    session String, subject_count Nullable(UInt64), subjects Array(String), target_affair String,
    target_id String, target_system String, terminal_id String, terminal_ip String,
    time DateTime64(6, 'UTC'), unmapped String
) ENGINE = Memory;

-- Hashes of the records without an id that a delivery of several batches, or a stream of several deliveries, has
-- brought: identical ones are told apart by their ordinal. On disk, because a delivery may have any length.
CREATE TABLE intake_hashes (raw_hash FixedString(16)) ENGINE = Memory;

CREATE TABLE intake_seen (scope UInt64, delivery UInt64, raw_hash FixedString(16), at DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY (scope, raw_hash) TTL at + INTERVAL 2 DAY;
