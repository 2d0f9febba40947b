-- What the context feeds say, in the form that look-ups are joined with: a copy, filled anew when a feed has changed.
-- Where the feed says nothing of a household, a resident is a household of one.
CREATE TABLE casework_residents (
    subject String CODEC(ZSTD(1)),
    household String CODEC(ZSTD(1)),
    address String CODEC(ZSTD(1)),
    surname String CODEC(ZSTD(1)),
    former_surname String CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)),
    staff_id LowCardinality(String),
    at_address UInt32,
    of_surname UInt32,
    of_former_surname UInt32
) ENGINE = MergeTree ORDER BY subject;

-- Posts; `since` and `until` (exclusive) bound each. Who somebody is as a resident stands beside every post.
CREATE TABLE casework_posts (
    staff_id String,
    since DateTime64(6, 'UTC'),
    until DateTime64(6, 'UTC'),
    unit LowCardinality(String),
    manager LowCardinality(String),
    own_subject String,
    own_household String,
    own_address String,
    own_surname String,
    own_former_surname String
) ENGINE = MergeTree ORDER BY (staff_id, since);

-- Cases, by the household that they account for; `since` and `until` have what is allowed before entry and after closing.
CREATE TABLE casework_cases (
    household String,
    case_id String,
    unit LowCardinality(String),
    assignee LowCardinality(String),
    kind LowCardinality(String),
    since DateTime64(6, 'UTC'),
    until DateTime64(6, 'UTC')
) ENGINE = MergeTree ORDER BY household;

-- Approved list work, by whom it was approved for.
CREATE TABLE casework_approvals (
    approval_id String,
    staff_id String,
    source LowCardinality(String),
    since DateTime64(6, 'UTC'),
    until DateTime64(6, 'UTC')
) ENGINE = MergeTree ORDER BY staff_id;

-- Who looked at whom on some days, and how the two are related, before anything is known about why.
CREATE TABLE casework_acts (
    day Date,
    actor LowCardinality(String),
    actor_kind LowCardinality(String),
    unit LowCardinality(String),
    source LowCardinality(String),
    subject String,
    household String,
    first DateTime64(6, 'UTC'),
    last DateTime64(6, 'UTC'),
    looks UInt32,
    changes UInt32,
    prints UInt32,
    changed_until DateTime64(6, 'UTC'),
    by_name UInt8,
    cited Array(String),
    cited_known UInt8,
    relations Array(LowCardinality(String)),
    namesakes UInt32,
    at_address UInt32,
    flags Array(LowCardinality(String)),
    subject_staff LowCardinality(String),
    event_id String,
    first_index UInt64,
    last_index UInt64
) ENGINE = MergeTree ORDER BY tuple();

-- The same with what accounts for it: one row a day, person, system and resident. A day is one partition, made beside
-- and put in the place of the one before as a whole.
CREATE TABLE lookups (
    day Date,
    actor LowCardinality(String),
    actor_kind LowCardinality(String),
    unit LowCardinality(String),
    source LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    household String CODEC(ZSTD(1)),
    first DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    last DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    looks UInt32 CODEC(ZSTD(1)),
    changes UInt32 CODEC(ZSTD(1)),
    prints UInt32 CODEC(ZSTD(1)),
    by_name UInt8,
    relations Array(LowCardinality(String)),
    namesakes UInt32 CODEC(ZSTD(1)),
    at_address UInt32 CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)),
    subject_staff LowCardinality(String),
    event_id String CODEC(ZSTD(1)),
    first_index UInt64 CODEC(ZSTD(1)),
    last_index UInt64 CODEC(ZSTD(1)),
    result LowCardinality(String),
    because LowCardinality(String),
    reference String CODEC(ZSTD(1)),
    INDEX by_subject subject TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY day ORDER BY (actor, source, subject);

CREATE TABLE lookups_made AS lookups;
