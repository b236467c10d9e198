/** The brokers under test, their disks, and what they say of themselves. */
@NullMarked
package io.spillway.chaos.cluster;

import org.jspecify.annotations.NullMarked;
