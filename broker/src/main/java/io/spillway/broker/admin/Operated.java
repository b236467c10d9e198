package io.spillway.broker.admin;

import io.spillway.broker.link.LinkService;
import io.spillway.broker.session.QuotaSettings;
import org.jspecify.annotations.Nullable;

/**
 * What is operated over HTTP.
 *
 * @param cluster null: the broker stands alone
 * @param links those that end here
 */
public record Operated(@Nullable ClusterControl cluster, LinkService links, QuotaSettings quotas) {}
