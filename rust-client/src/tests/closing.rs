//! What is only being opened while its client closes.

use super::*;

/// Longer than a test may take.
fn patient() -> ClientBuilder {
    Client::builder().request_timeout(Duration::from_secs(3600))
}

fn assert_closed<T: std::fmt::Debug>(outcome: Result<T, crate::Error>) {
    let error = outcome.expect_err("the client is closed");
    assert_eq!(error.code(), codes::CLIENT_CLOSED, "{error}");
}

#[tokio::test]
async fn what_is_given_back_before_it_is_open_says_that_the_client_is_closed() {
    let broker = Broker::of(patient());
    let mut open = pin!(broker.client.subscribe("t").group("g").open());
    assert!(poll!(open.as_mut()).is_pending());
    let subscribe = broker.only(Kind::SUBSCRIBE);

    let close = broker.client.close();
    let answers = async {
        let [unsubscribe] = broker.awaits([Kind::UNSUBSCRIBE]).await;
        let ended = wire_error(codes::WRONG_STATE, "ended before it began", "", "");
        broker.refuse(&subscribe, &ended);
        broker.answer(&unsubscribe, &pb::Unsubscribe::default(), Bytes::new());
        let [bye] = broker.awaits([Kind::BYE]).await;
        broker.answer(&bye, &pb::Bye::default(), Bytes::new());
    };
    let (closed, ()) = futures::join!(close, answers);

    closed.expect("all is given back");
    assert_closed(open.await);
}

#[tokio::test]
async fn what_the_broker_does_not_open_ends_with_the_client() {
    let broker = Broker::of(patient());
    let mut producer = pin!(broker.client.producer("t").open());
    assert!(poll!(producer.as_mut()).is_pending());
    broker.tell_topic(&broker.only(Kind::METADATA));
    assert!(poll!(producer.as_mut()).is_pending());
    let mut subscription = pin!(broker.client.subscribe("t").group("g").open());
    assert!(poll!(subscription.as_mut()).is_pending());
    broker.awaits([Kind::OPEN_PUBLISHER, Kind::SUBSCRIBE]).await;

    let _ = broker.client.close_within(Duration::from_millis(1)).await; // nobody answers its farewell

    assert_closed(producer.await);
    assert_closed(subscription.await);
}
