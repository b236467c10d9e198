/** The broker seen over HTTP: health for orchestrators, metrics for Prometheus. Reads views, changes nothing. */
@NullMarked
package io.spillway.broker.admin;

import org.jspecify.annotations.NullMarked;
