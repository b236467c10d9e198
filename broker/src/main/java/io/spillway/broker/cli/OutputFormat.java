package io.spillway.broker.cli;

/** How results are written. */
enum OutputFormat {
    /** For people. */
    TEXT,
    /** For programs: one JSON document a line. */
    JSON
}
