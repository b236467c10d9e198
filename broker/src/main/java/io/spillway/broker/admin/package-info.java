/**
 * The broker seen over HTTP: health for orchestrators, metrics for Prometheus, and for operators who is in the cluster.
 * Reads views; changes the cluster's members and leader, nothing else.
 */
@NullMarked
package io.spillway.broker.admin;

import org.jspecify.annotations.NullMarked;
