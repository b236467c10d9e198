/** The agreement of a cluster's nodes on one order of entries. The only package that knows Apache Ratis. */
@NullMarked
package io.spillway.broker.replication;

import org.jspecify.annotations.NullMarked;
