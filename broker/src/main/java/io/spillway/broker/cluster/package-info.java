/**
 * This broker's place in a cluster: what its shard decides goes to the agreement of the nodes, what they agreed on comes
 * back; who leads; and how a node that is far behind gets the files of another.
 */
@NullMarked
package io.spillway.broker.cluster;

import org.jspecify.annotations.NullMarked;
