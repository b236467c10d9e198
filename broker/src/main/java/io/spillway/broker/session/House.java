package io.spillway.broker.session;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.spillway.broker.auth.Identity;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupAdminOk;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.TopicAdmin;
import io.spillway.protocol.v1.TopicInfo;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Where those ask who come by another way than the wire, such as the console. What they ask goes through a session like any
 * client's: the same rules, the same audit, the same answers. A session lasts for one request, so that it is clear who asks.
 * Thread-safe; futures end on the executor.
 */
public final class House {
    private static final int CORRELATION = 2;
    private static final int TIMEOUT_SECONDS = 30;

    private final SessionContext context;
    private final Executor thread;

    /**
     * Who asks.
     *
     * @param name what he comes with, such as console
     * @param remote from where
     * @param identity who he has proved to be, where he came in
     */
    public record Visitor(String name, String remote, Identity identity) {
        public Visitor as(Identity proved) {
            return new Visitor(name, remote, proved);
        }
    }

    /**
     * A group after a change.
     *
     * @param snapshots those it has, when that was asked
     */
    public record ChangedGroup(GroupList groups, GroupAdminOk snapshots) {}

    /** @param thread runs one task at a time */
    public House(SessionContext context, Executor thread) {
        this.context = context;
        this.thread = thread;
    }

    public CompletableFuture<TopicInfo> topic(Visitor who, TopicAdmin request) {
        return ask(who, FrameKind.TOPIC_ADMIN, request, header(TopicInfo.parser()));
    }

    public CompletableFuture<ChangedGroup> group(Visitor who, GroupAdmin request) {
        return ask(
                who,
                FrameKind.GROUP_ADMIN,
                request,
                frame -> new ChangedGroup(frame.payload(GroupList.parser()), frame.header(GroupAdminOk.parser())));
    }

    public CompletableFuture<SeekResult> seek(Visitor who, Seek request) {
        return ask(who, FrameKind.SEEK, request, header(SeekResult.parser()));
    }

    public CompletableFuture<ReplayList> replay(Visitor who, ReplayAdmin request) {
        return ask(who, FrameKind.REPLAY_ADMIN, request, frame -> frame.payload(ReplayList.parser()));
    }

    /** Records of one partition, as a reader gets them; fewer than asked when there are no more or they are large. */
    public CompletableFuture<List<HouseRecord>> read(Visitor who, HouseReading asked) {
        CompletableFuture<List<HouseRecord>> answer = new CompletableFuture<>();
        HouseReader reader = new HouseReader(asked, answer);
        visit(who, reader::heard, answer, line -> reader.begin(line, CORRELATION));
        return answer;
    }

    private static <T> Function<HouseFrame, T> header(Parser<T> parser) {
        return frame -> frame.header(parser);
    }

    private <T> CompletableFuture<T> ask(
            Visitor who, FrameKind kind, MessageLite request, Function<HouseFrame, T> read) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Consumer<HouseFrame> heard = frame -> {
            if (frame.isError()) {
                answer.completeExceptionally(HouseLine.failure(frame));
            } else if (frame.is(kind) && frame.correlation() == CORRELATION) {
                answer.complete(read.apply(frame));
            }
        };
        visit(who, heard, answer, line -> line.say(kind, 0, CORRELATION, request));
        return answer.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    private void visit(
            Visitor who, Consumer<HouseFrame> heard, CompletableFuture<?> answer, Consumer<HouseLine> request) {
        thread.execute(() -> {
            HouseLine line = new HouseLine(context, thread, who, frame -> {
                try {
                    heard.accept(frame);
                } catch (RuntimeException e) {
                    answer.completeExceptionally(e);
                }
            });
            answer.whenComplete((done, failure) -> thread.execute(line::close));
            try {
                line.open();
                if (line.isOpen()) {
                    request.accept(line);
                }
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
    }
}
