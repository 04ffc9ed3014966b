-- The log in ClickHouse 23.8 or later, as vector.toml ships it. Columns are fields of the log (conf/README.md, The log) but
-- for `host`, which vector adds. A field that a line lacks is empty, 0 or false. TTL is how long it is kept there.
CREATE DATABASE IF NOT EXISTS gatepost;

CREATE TABLE IF NOT EXISTS gatepost.sessions
(
    `host` LowCardinality(String),
    `time` DateTime64(3, 'UTC'),
    `event` LowCardinality(String),
    `client` String,
    `network` String,
    `facts` String,
    `facts_cut` Bool,
    `port` UInt16,
    `proxy` String,
    `trusted` Bool,
    `good_history` Bool,
    `helo` String,
    `protocol` LowCardinality(String),
    `tls` Tuple(
        `state` LowCardinality(String),
        `version` LowCardinality(String),
        `cipher` LowCardinality(String),
        `group` LowCardinality(String),
        `resumed` Bool,
        `sni` String,
        `client_certificate` String,
        `reason` String,
        `offered` LowCardinality(String)),
    `transactions` Array(Tuple(
        `id` String,
        `from` String,
        `rcpts` Array(Tuple(
            `to` String,
            `code` LowCardinality(String),
            `check` LowCardinality(String),
            `reject_id` String,
            `reply` LowCardinality(String))),
        `rcpts_before` UInt32,
        `continued` Bool,
        `verdicts` Array(Tuple(
            `check` LowCardinality(String),
            `result` LowCardinality(String),
            `mode` LowCardinality(String),
            `stage` LowCardinality(String),
            `reply` LowCardinality(String),
            `evidence` String,
            `file` String,
            `line` UInt32,
            `rcpts` UInt32)),
        `verdicts_omitted` UInt32,
        `accepted` UInt32,
        `refused` UInt32,
        `deferred` UInt32,
        `spf` LowCardinality(String),
        `dkim` Array(Tuple(
            `domain` String,
            `selector` String,
            `result` LowCardinality(String),
            `reason` String)),
        `arc` LowCardinality(String),
        `arc_sealer` String,
        `dmarc` LowCardinality(String),
        `header_from` String,
        `dmarc_record` String,
        `dmarc_policy` LowCardinality(String),
        `dmarc_disposition` LowCardinality(String),
        `dmarc_aligned` LowCardinality(String),
        `size` UInt64,
        `message_id` String,
        `file` String,
        `reason` String,
        `code` LowCardinality(String),
        `check` LowCardinality(String),
        `reject_id` String,
        `reply` LowCardinality(String),
        `ms` UInt32)),
    `syntax` Array(Tuple(
        `command` UInt32,
        `reply` LowCardinality(String),
        `evidence` String,
        `reject_id` String)),
    `greetings` Array(Tuple(
        `command` UInt32,
        `code` LowCardinality(String),
        `check` LowCardinality(String),
        `reply` LowCardinality(String),
        `evidence` String,
        `reject_id` String)),
    `client_rate` Tuple(
        `mode` LowCardinality(String),
        `evidence` String,
        `file` String,
        `line` UInt32),
    `part` UInt32,
    `end` LowCardinality(String),
    `reply` LowCardinality(String),
    `reject_id` String,
    `limit` LowCardinality(String),
    `no_starttls` LowCardinality(String),
    `foreign` String,
    `early` String,
    `bad_line` String,
    `code` UInt16,
    `commands` UInt32,
    `errors` UInt32,
    `messages` UInt32,
    `ms` UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (`client`, `time`)
TTL toDateTime(time) + INTERVAL 90 DAY;

CREATE TABLE IF NOT EXISTS gatepost.events
(
    `host` LowCardinality(String),
    `time` DateTime64(3, 'UTC'),
    `event` LowCardinality(String),
    `client` String,
    `network` String,
    `port` UInt16,
    `reason` String,
    `check` LowCardinality(String),
    `reply` LowCardinality(String),
    `code` String,
    `reject_id` String,
    `evidence` String,
    `more_before` UInt64,
    `id` String,
    `path` String,
    `zone` String,
    `address` String,
    `complaints` String,
    `thread` LowCardinality(String),
    `worker` UInt32,
    `rung` LowCardinality(String),
    `before` LowCardinality(String),
    `cause` LowCardinality(String),
    `lines` UInt64,
    `ms` UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (`event`, `time`)
TTL toDateTime(time) + INTERVAL 90 DAY;

-- Which checks refuse most, and for how many recipients, in the last day:
--   SELECT rcpt.`check`, rcpt.`code`, count() AS recipients, uniq(client) AS clients
--   FROM gatepost.sessions ARRAY JOIN transactions AS mail ARRAY JOIN mail.rcpts AS rcpt
--   WHERE time > now() - INTERVAL 1 DAY AND rcpt.`check` != ''
--   GROUP BY rcpt.`check`, rcpt.`code` ORDER BY recipients DESC;
