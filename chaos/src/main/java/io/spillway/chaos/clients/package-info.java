/** The Go, Rust and Java clients that write and read, as processes. */
@NullMarked
package io.spillway.chaos.clients;

import org.jspecify.annotations.NullMarked;
