package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may come in and do what is agreed on by the nodes of a cluster, and holds at whichever of them leads. */
@Timeout(120)
final class SecureClusterTest {
    @TempDir
    private Path directory;

    private static void assertRefused(String code, CommandRun run) {
        assertThat(run.exitCode()).isNotZero();
        assertThat(run.err()).startsWith("error: " + code + ": ").contains("; next: ");
    }

    private static void assertDone(CommandRun run) {
        assertThat(run.exitCode()).as(run.err()).isZero();
    }

    @Test
    void whoMayDoWhatHoldsAtTheNextLeaderToo() throws Exception {
        try (SecureNodes nodes = new SecureNodes(directory)) {
            nodes.admin("", "topic", "create", "orders");
            nodes.addUser("billing", "correct horse battery");
            nodes.addUser("intern", "correct horse staple");
            nodes.admin("", "acl", "add", "billing", "allow", "write", "topic:orders");
            nodes.admin("", "acl", "add", "shop", "allow", "write", "topic:orders");
            nodes.issue("shop");
            assertDone(nodes.run("billing", "a\n", "publish", "orders"));
            assertDone(nodes.run("token", "b\n", "publish", "orders"));
            assertRefused("PERMISSION_DENIED", nodes.run("intern", "c\n", "publish", "orders"));

            String first = nodes.leader();
            String follower = nodes.follower();
            for (String at : new String[] {first, follower}) {
                String http = nodes.http(at);
                assertRefused(
                        "PERMISSION_DENIED",
                        nodes.run("billing", "", "cluster", "transfer-leader", follower, "--http", http));
                assertRefused("PERMISSION_DENIED", nodes.run("billing", "", "cluster", "status", "--http", http));
            }
            assertThat(nodes.leader()).isEqualTo(first);
            nodes.admin("", "token", "revoke", nodes.tokenId(), "--reason", "lost");
            nodes.admin("", "user", "delete", "intern");
            nodes.stop(first);

            String second = nodes.leader();
            assertDone(nodes.run("billing", "d\n", "publish", "orders"));
            assertRefused("PERMISSION_DENIED", nodes.run("billing", "", "topic", "delete", "orders", "--yes"));
            assertRefused("UNAUTHENTICATED", nodes.run("token", "e\n", "publish", "orders"));
            assertRefused("UNAUTHENTICATED", nodes.run("intern", "f\n", "publish", "orders"));
            nodes.admin("", "user", "delete", "billing");

            nodes.start(first);
            await("what was agreed on while it was away")
                    .atMost(SecureNodes.PATIENCE)
                    .untilAsserted(() -> assertThat(nodes.admin("", "user", "list", "--http", nodes.http(first))
                                    .out())
                            .doesNotContain("billing"));
            await("the node that was away to lead").atMost(SecureNodes.PATIENCE).untilAsserted(() -> {
                nodes.run("admin", "", "cluster", "transfer-leader", first, "--http", nodes.http(second));
                assertThat(nodes.leader()).isEqualTo(first);
            });
            assertRefused("UNAUTHENTICATED", nodes.run("billing", "g\n", "publish", "orders"));
            assertThat(nodes.admin("", "audit", "--operation", "denied", "--output", "json")
                            .out())
                    .contains("denied.login", "denied.describe", "denied.delete", "denied.cluster");
        }
    }
}
