/** The HTTP side: liveness, readiness, metrics. */
@NullMarked
package io.spillway.broker.admin;

import org.jspecify.annotations.NullMarked;
