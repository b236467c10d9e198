package io.spillway.broker.shard;

import io.spillway.broker.auth.Access;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.AccessRuleDropped;
import io.spillway.broker.records.AccessRuleKept;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.TokenForgotten;
import io.spillway.broker.records.TokenRevoked;
import io.spillway.broker.records.UserDropped;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;

/** Changes who may come in and do what. Confined to the shard thread. */
final class AccessAdministration {
    private static final int MAX_USERS = 10_000;
    private static final int MAX_RULES = 10_000;
    private static final int MAX_REVOKED = 10_000;

    private final ShardState state;
    private final Journal journal;

    AccessAdministration(ShardState state, Journal journal) {
        this.state = state;
        this.journal = journal;
    }

    void change(ShardCommand.ChangeAccess command, long nowMs) {
        List<StateRecord> records = records(command.change(), nowMs);
        journal.whenDurable(journal.commit(records), new ReplyWhenDurable<>(true, command.reply()));
    }

    private List<StateRecord> records(AccessChange change, long nowMs) {
        Access now = state.operators.access.view();
        StateRecord.Builder record = StateRecord.newBuilder();
        if (change instanceof AccessChange.PutUser put) {
            boolean isNew = !now.users().containsKey(put.credential().user());
            requireRoom("user " + put.credential().user(), isNew, now.users().size(), MAX_USERS);
            record.setUserKept(AccessRecords.record(put.credential()));
        } else if (change instanceof AccessChange.DropUser drop) {
            require(now.users().containsKey(drop.name()), "user " + drop.name(), "spillway user list");
            record.setUserDropped(UserDropped.newBuilder().setName(drop.name()));
        } else if (change instanceof AccessChange.PutRule put) {
            boolean isNew = !state.operators.access.has(put.rule());
            requireRoom("rule " + put.rule(), isNew, now.rules().all().size(), MAX_RULES);
            record.setAccessRuleKept(AccessRecords.record(put.rule()));
        } else if (change instanceof AccessChange.DropRule drop) {
            require(
                    state.operators.access.has(drop.rule()),
                    "rule " + drop.rule().key(),
                    "spillway acl list");
            AccessRuleKept kept = AccessRecords.record(drop.rule());
            record.setAccessRuleDropped(AccessRuleDropped.newBuilder()
                    .setPrincipal(kept.getPrincipal())
                    .setResource(kept.getResource())
                    .setName(kept.getName())
                    .setPrefix(kept.getPrefix())
                    .setOperation(kept.getOperation()));
        } else if (change instanceof AccessChange.Revoke revoke) {
            return revoke(revoke, now, nowMs);
        }
        return List.of(record.build());
    }

    /** Those that would have ended by now make room. */
    private static List<StateRecord> revoke(AccessChange.Revoke revoke, Access now, long nowMs) {
        List<StateRecord> records = new ArrayList<>();
        now.revoked().forEach((id, expiresMs) -> {
            if (expiresMs <= nowMs) {
                records.add(StateRecord.newBuilder()
                        .setTokenForgotten(TokenForgotten.newBuilder().setId(id))
                        .build());
            }
        });
        requireRoom("token " + revoke.tokenId(), true, now.revoked().size() - records.size(), MAX_REVOKED);
        records.add(StateRecord.newBuilder()
                .setTokenRevoked(
                        TokenRevoked.newBuilder().setId(revoke.tokenId()).setExpiresMs(revoke.expiresMs()))
                .build());
        return records;
    }

    private static void requireRoom(String what, boolean isNew, int there, int most) {
        if (isNew && there >= most) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    what + " is not added",
                    "there are " + there + " already, and there can be no more",
                    "remove some, or use prefixes");
        }
    }

    private static void require(boolean isThere, String what, String list) {
        if (!isThere) {
            throw new SpillwayException(
                    Code.NOT_FOUND, "there is no " + what, "it was never added, or is deleted", "see " + list);
        }
    }
}
