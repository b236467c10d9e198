/** Protocol frames to shard commands and back; one session per connection. */
@NullMarked
package io.spillway.broker.session;

import org.jspecify.annotations.NullMarked;
