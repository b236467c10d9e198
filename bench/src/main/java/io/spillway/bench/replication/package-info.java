/** The engine of the cluster without a broker around it: what a cluster could reach at best. */
@NullMarked
package io.spillway.bench.replication;

import org.jspecify.annotations.NullMarked;
