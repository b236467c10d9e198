package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.Members;
import io.spillway.chaos.clients.Reader;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.history.Event;
import io.spillway.client.GroupDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Two groups of the same three clients, of which the first gets sick: one shares all records, in the other one the third stands
 * by for the keys of the others. Confined to the scenario's thread.
 */
final class SickTrio implements AutoCloseable {
    /** Two reports, and a look at what came of them. */
    static final long TOLD_MS = 3_500;
    /** A share is lost within this after the first bad report. */
    static final long LOST_MS = 3_000;
    /** What a member holds stays its own for this. */
    static final long DRAIN_MS = 5_000;
    /** A share grows for this. */
    static final long GROWS_MS = 30_000;

    private static final long SPAN_MS = 4_000;
    private static final long PATIENCE_MS = 120_000;
    /** A weight that is that of the others, in per mille of their mean. */
    private static final int WHOLE_PM = 950;

    private static final int BACKLOG = 2_000;
    private static final int MOST_PERCENT = 25;
    private static final Reader.Habits HABITS = new Reader.Habits(15_000, 20, (id, attempt) -> false);
    /** Many keys, and little of each: one record of a key is out at a time. */
    private static final Writer.Pace PACE = new Writer.Pace(24, 1, 1, 200, 30_000);

    private final Stage stage;
    private final List<Client> clients = new ArrayList<>();
    private final Members members;

    /** @param sickTerms of the client that gets sick */
    SickTrio(Stage stage, List<String> names, Map<String, Object> sickTerms) {
        this.stage = stage;
        for (String name : names) {
            clients.add(stage.connect(name, clients.isEmpty() ? sickTerms : Map.of()));
        }
        stage.clients().create("orders", Map.of());
        members = stage.clients().members();
        for (Client client : clients) {
            boolean isLast = clients.indexOf(client) == clients.size() - 1;
            stage.clients().read(client, Groups.SHARED, HABITS);
            Reader.Role role = isLast ? Reader.Role.STANDBY : Reader.Role.MEMBER;
            stage.clients().read(client, Groups.ORDERED, HABITS, role);
        }
        stage.clients().write(clients.get(1), PACE, stage.random());
    }

    Client sick() {
        return clients.get(0);
    }

    private String standby() {
        return clients.get(clients.size() - 1).name();
    }

    /** Waits until all have their shares, and says what the sick one's is. */
    int begin() throws InterruptedException {
        stage.until(
                TOLD_MS, () -> weightPm() > 0 && weightPm() < WHOLE_PM); // before its first report it weighs as all do
        // A machine that is busy with other things makes clients sick that have nothing to do with it.
        long wholeMs = stage.until(PATIENCE_MS, () -> is("READY") && weightPm() >= WHOLE_PM);
        stage.sleep(SPAN_MS);
        int percent = sharePercent();
        stage.expect(
                "three members share evenly, the standby has no keys",
                percent + " %, whole after " + Stage.seconds(wholeMs) + "; " + got(Groups.ORDERED, standby(), 0)
                        + " records",
                wholeMs >= 0 && percent >= MOST_PERCENT && got(Groups.ORDERED, standby(), 0) == 0);
        return percent;
    }

    private int weightPm() {
        return members.find(Groups.SHARED.name(), sick().name())
                .map(GroupDescription.Member::weightPm)
                .orElse(-1);
    }

    private boolean is(String state) {
        return members.find(Groups.SHARED.name(), sick().name())
                .filter(member -> member.health().equals(state))
                .isPresent();
    }

    /** Waits until the brokers hear that it is so; when that was. */
    long becomes(String state, String why, long withinMs) {
        long tookMs = stage.until(PATIENCE_MS, () -> is(state));
        String said = members.find(Groups.SHARED.name(), sick().name())
                .map(GroupDescription.Member::why)
                .orElse("");
        stage.expect(
                state + (why.isEmpty() ? "" : " for " + why) + " within " + Stage.seconds(withinMs),
                Stage.seconds(tookMs) + (said.isEmpty() ? "" : ", " + said),
                tookMs >= 0 && tookMs <= withinMs && said.contains(why));
        return stage.history().nowNs();
    }

    /** Of the records of the group that shares, in the last seconds. */
    int sharePercent() {
        long fromNs = stage.history().nowNs() - SPAN_MS * 1_000_000;
        long all = stage.events(Event.Delivered.class, fromNs)
                .filter(one -> one.group().equals(Groups.SHARED.name()))
                .count();
        return (int) (got(Groups.SHARED, sick().name(), fromNs) * 100 / Math.max(1, all));
    }

    /** Records that a client got in a group. */
    long got(Groups.Group group, String who, long fromNs) {
        return stage.events(Event.Delivered.class, fromNs)
                .filter(one -> one.group().equals(group.name()) && one.who().equals(who))
                .count();
    }

    void expectsLessFrom(long badNs) throws InterruptedException {
        sleepUntil(badNs, LOST_MS + SPAN_MS);
        int percent = sharePercent();
        stage.expect(
                "its share is at most " + MOST_PERCENT + " % from " + Stage.seconds(LOST_MS) + " on",
                percent + " %",
                percent <= MOST_PERCENT);
    }

    void expectsStandbyWithin(long limitMs, long badNs) {
        stage.until(limitMs + PATIENCE_MS, () -> got(Groups.ORDERED, standby(), badNs) > 0);
        long tookMs = stage.events(Event.Delivered.class, badNs)
                .filter(one ->
                        one.group().equals(Groups.ORDERED.name()) && one.who().equals(standby()))
                .mapToLong(one -> (one.atNs() - badNs) / 1_000_000)
                .findFirst()
                .orElse(-1);
        stage.expectWithin("the standby has a record of its keys", limitMs, tookMs);
    }

    /** It was healed just now. */
    void expectsItsShareBack(long readyWithinMs) throws InterruptedException {
        long readyNs = becomes("READY", "", readyWithinMs);
        stage.sleep(SPAN_MS);
        int first = sharePercent();
        long wholeMs = stage.until(PATIENCE_MS, () -> weightPm() >= WHOLE_PM);
        long sinceMs = wholeMs < 0 ? -1 : (stage.history().nowNs() - readyNs) / 1_000_000;
        stage.expectWithin("its weight is whole again", GROWS_MS + TOLD_MS, sinceMs);
        stage.sleep(SPAN_MS);
        int last = sharePercent();
        stage.expect(
                "its share grows slowly, and to what it was",
                first + " % in the first " + Stage.seconds(SPAN_MS) + ", " + last + " % at the end",
                first < last && last >= MOST_PERCENT);
        long backlog = members.describe(Groups.SHARED.name()).backlog();
        stage.expect("the group keeps up", backlog + " records of backlog", backlog < BACKLOG);
    }

    /** How often the brokers said that it got worse, for this reason. */
    void expectsOneFall(String why) {
        List<String> falls = stage.said("consumer_health").stream()
                .filter(event -> event.get("group").equals(Groups.SHARED.name()))
                .filter(event -> event.get("what").startsWith("READY to ")
                        && event.get("why").contains(why))
                .map(event -> event.get("what"))
                .toList();
        stage.expect("it does not flap", falls.toString(), falls.size() == 1);
    }

    void sleepUntil(long fromNs, long ms) throws InterruptedException {
        stage.sleep(Math.max(0, ms - (stage.history().nowNs() - fromNs) / 1_000_000));
    }

    @Override
    public void close() {
        members.close();
    }
}
