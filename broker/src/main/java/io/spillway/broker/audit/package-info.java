/** Who did what and why, written before it is done and after, into a topic that clients only read. */
@NullMarked
package io.spillway.broker.audit;

import org.jspecify.annotations.NullMarked;
