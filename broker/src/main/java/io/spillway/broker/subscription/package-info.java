/** A group's place in a partition: cursor, leases, redelivery. Pure. */
@NullMarked
package io.spillway.broker.subscription;

import org.jspecify.annotations.NullMarked;
